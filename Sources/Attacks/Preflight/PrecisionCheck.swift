internal import AuditModel
internal import Networks
internal import Tensors

/// How exactly the observed numbers are known.
struct PrecisionCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    let tensors = observation.gradient.keys.compactMap { observation.gradient[$0.node, $0.role] }
    guard let coarsest = tensors.map(\.resolution).max(by: { $0.unitRoundoff < $1.unitRoundoff })
    else { return [] }
    let stored = Set(tensors.map(\.kind.rawValue)).sorted().joined(separator: ", ")
    let isReduced = coarsest.unitRoundoff > ElementKind.float32.unitRoundoff
    return [
      PreflightCheck(
        artifact: "", check: "number format of the gradient", status: isReduced ? .warning : .ok,
        value: "stored as \(stored); rounding level \(coarsest.unitRoundoff.displayed) "
          + "(\(coarsest.rawValue))",
        explanation: isReduced
          ? "The values lie on the grid of \(coarsest.rawValue): recoveries are as exact as that, "
            + "and certificates are judged against it." : nil)
    ]
  }
}
