internal import AuditModel

/// What was accepted beforehand, in the words that every format uses.
enum PolicyText {
  /// How many findings are suppressed and by whom, one sentence that is never left out.
  static func suppressed(_ policy: PolicySummary) -> String {
    let count = policy.suppressed.count
    var sentence =
      count == 0
      ? "No finding is suppressed"
      : DisplayedNumber.counted(count, "finding is", plural: "findings are") + " suppressed"
    if count > 0 {
      let parts = [
        (policy.count(.configuration), "by the configuration"),
        (policy.count(.baseline), "unchanged since the baseline"),
      ]
      sentence +=
        ": "
        + parts.filter { $0.0 > 0 }.map { "\(DisplayedNumber.grouped($0.0)) \($0.1)" }
        .joined(separator: ", ")
    }
    if policy.resolved > 0 {
      sentence +=
        "; \(DisplayedNumber.counted(policy.resolved, "entry", plural: "entries")) of the baseline "
        + "no longer \(policy.resolved == 1 ? "occurs" : "occur")"
    }
    return sentence + "."
  }

  /// How many findings count, by severity.
  static func counting(_ findings: [Finding]) -> String {
    guard !findings.isEmpty else { return "No finding counts." }
    let parts = Severity.allCases.sorted(by: >).compactMap { severity -> String? in
      let count = findings.count { $0.severity == severity }
      return count > 0 ? "\(DisplayedNumber.grouped(count)) \(severity.rawValue)" : nil
    }
    return DisplayedNumber.counted(findings.count, "finding counts", plural: "findings count")
      + ": " + parts.joined(separator: ", ") + "."
  }

  /// What the severities assume about the data.
  static func sensitivity(_ policy: PolicySummary) -> String {
    "Severities are for data declared as \(policy.sensitivity.rawValue)"
      + (policy.sensitivity == .personal ? ", which is assumed unless stated." : ".")
  }
}

extension AuditReport {
  /// Whether `finding` fails the run.
  func fails(_ finding: Finding) -> Bool { policy.failOn.map { finding.severity >= $0 } ?? false }

  /// The findings that count, in report order.
  var ordered: [Finding] { findings.sorted(by: Finding.reportOrder) }
}

extension Skipped {
  /// Whether a whole input could not be read.
  var isUnreadableInput: Bool { what == "file" }
}
