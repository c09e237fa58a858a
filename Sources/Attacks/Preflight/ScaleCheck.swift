internal import AuditModel
internal import Networks
internal import Tensors

/// What is known about sign and scale of the observed numbers.
struct ScaleCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    let norms = observation.gradient.keys.compactMap {
      observation.gradient[$0.node, $0.role]?.summary().norm
    }
    let norm = norms.norm
    // Clipping in single precision meets its bound to about 1e-6; below 1e3 chance does so in 2 %.
    let isClipped = norm > 0 && abs(norm - norm.rounded()) < 1e-5 * norm && norm < 1e3
    let text: String =
      switch observation.source {
      case .gradient: "gradient, positive sign"
      case .update: "update (after − before): negative sign, factor the learning rate"
      case .optimizerSlot(let slot):
        "\(slot.rawValue) of the optimiser, "
          + (observation.sign.map { $0 < 0 ? "negative sign" : "positive sign" } ?? "unknown sign")
      }
    return [
      PreflightCheck(
        artifact: "", check: "sign and scale", status: isClipped ? .warning : .ok,
        value: "\(text); norm \(norm.displayed)",
        explanation: isClipped
          ? "The norm is a whole number: the gradient was probably clipped. Ratios are unaffected; "
            + "counts of labels assume an unscaled gradient." : nil)
    ]
  }
}
