package import AuditModel

/// What was decided before the audit: how sensitive the data are, and what is accepted.
package struct AuditPolicy: Sendable {
  package var sensitivity = Sensitivity.personal
  /// In the order of the configuration.
  package var suppressions: [Suppression] = []
  /// The day on which suppressions are judged; `nil` leaves all of them in force.
  package var today: CalendarDate?
  package var baseline: Baseline?

  package init() {}

  /// Divides the findings into those that count and those that do not.
  ///
  /// The baseline speaks first. A suppression holds through its last day; then what it covers counts
  /// again, and a notice says so.
  package func applied(
    to findings: [Finding], failOn: Severity?
  ) -> (counting: [Finding], summary: PolicySummary) {
    var remaining = baseline?.counts ?? [:]
    var counting: [Finding] = []
    var suppressed: [SuppressedFinding] = []
    var coverage = [Int](repeating: 0, count: suppressions.count)
    for finding in findings.map({ $0.rated(for: sensitivity) }).fingerprinted() {
      let covering = suppressions.indices.filter { suppressions[$0].covers(finding) }
      for index in covering { coverage[index] += 1 }
      let key = FindingKey(finding)
      if let count = remaining[key] {
        remaining[key] = count > 1 ? count - 1 : nil
        suppressed.append(
          SuppressedFinding(
            finding: finding, origin: .baseline, reason: "It is in the baseline."))
      } else if let index = covering.first(where: { !isExpired(suppressions[$0]) }) {
        let suppression = suppressions[index]
        suppressed.append(
          SuppressedFinding(
            finding: finding, origin: .configuration, reason: suppression.reason,
            expires: suppression.expires))
      } else {
        counting.append(finding)
      }
    }
    let summary = PolicySummary(
      sensitivity: sensitivity, failOn: failOn, suppressed: suppressed,
      hasBaseline: baseline != nil, resolved: remaining.values.reduce(0, +),
      notices: zip(suppressions, coverage).compactMap(notice))
    return (counting, summary)
  }

  private func isExpired(_ suppression: Suppression) -> Bool {
    today.map { suppression.expires < $0 } ?? false
  }

  private func notice(_ suppression: Suppression, coverage: Int) -> PolicyNotice? {
    let name = "the suppression of '\(suppression.rule)'"
    if isExpired(suppression) {
      let effect =
        coverage == 0
        ? "it covers no finding of this run"
        : "\(DisplayedNumber.counted(coverage, "finding")) that it covers "
          + "\(coverage == 1 ? "counts" : "count") again"
      return PolicyNotice(
        kind: .expired, file: suppression.file, line: suppression.line,
        text: "\(name) expired after \(suppression.expires): \(effect)")
    }
    guard coverage == 0 else { return nil }
    return PolicyNotice(
      kind: .unused, file: suppression.file, line: suppression.line,
      text: "\(name) covers no finding of this run")
  }
}
