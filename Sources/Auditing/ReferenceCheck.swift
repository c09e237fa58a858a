internal import AuditModel
internal import Networks
internal import Rules

/// How far every parameter of a model lies from the one it should be, and what was not compared.
struct ReferenceCheck {
  /// One line per parameter.
  private(set) var drifts: [PreflightCheck] = []
  private(set) var skipped: [Skipped] = []
  private(set) var isIncomplete = false
  /// Whether the weights were compared at all.
  private(set) var isCompared = false

  init(_ subject: Subject) {
    guard let parameters = subject.parameters, let reference = subject.reference else { return }
    let name = subject.artifact
    guard parameters.table.convention == reference.parameters.table.convention else {
      isIncomplete = true
      skipped.append(
        Skipped(
          artifact: name, what: "weights",
          why: "the files hold kernels in different orders of axes; export both the same way"))
      return
    }
    isCompared = true
    for parameter in PassedOver.unassigned(in: subject) {
      skipped.append(parameter.skipped(in: name))
      isIncomplete = true
    }
    let compared = Drift.all(in: subject)
    for drift in compared {
      drifts.append(Self.check(drift, artifact: name))
      isIncomplete = isIncomplete || drift.distance.isNaN
    }
    let seen = Set(compared.map { ParameterTable.Key(node: $0.node, role: $0.role) })
    for key in parameters.table.keys where !seen.contains(key) {
      skipped.append(
        Skipped(
          artifact: name, what: "\(key.role) of \(subject.network.nodes[key.node].name)",
          why: "the reference has no such parameter in that shape"))
    }
  }

  private static func check(_ drift: Drift, artifact: String) -> PreflightCheck {
    let check = "drift of \(drift.role) in '\(drift.layer)'"
    guard !drift.distance.isNaN else {
      return PreflightCheck(
        artifact: artifact, check: check, status: .notChecked, value: "not a number",
        explanation: "one of the two holds NaN or infinity")
    }
    return PreflightCheck(
      artifact: artifact, check: check, status: drift.distance == 0 ? .ok : .warning,
      value: "\(drift.distance.displayed) of its norm, cosine \(drift.cosine.displayed)",
      explanation: nil)
  }
}
