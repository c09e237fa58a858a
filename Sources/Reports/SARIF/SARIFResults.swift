internal import AuditModel

/// The findings of a SARIF log, those that count first and then the suppressed ones.
struct SARIFResults {
  let report: AuditReport
  let rules: SARIFRules
  let places: SARIFPlaces

  var json: JSONValue {
    .array(
      report.ordered.map { result($0, suppression: nil) }
        + report.policy.suppressed.map { result($0.finding, suppression: $0) })
  }

  private func result(_ finding: Finding, suppression: SuppressedFinding?) -> JSONValue {
    var properties: [String: JSONValue] = [
      "access": .string(finding.access.rawValue),
      "evidence": .string(finding.evidence.rawValue),
      "recoverability": .string(finding.recoverability.rawValue),
      "severity": .string(finding.severity.rawValue),
    ]
    if let number = Rating.securitySeverity(finding.severity) {
      properties["security-severity"] = .string(number)
    }
    var members: [String: JSONValue] = [
      "ruleId": .string(finding.id),
      "ruleIndex": .integer(rules.index(of: finding.id) ?? -1),
      "level": .string(SARIFPart.level(finding.severity)),
      "message": SARIFPart.message("\(finding.message) Fix: \(finding.remedy)"),
      "locations": .array([places.location(finding.artifact, layer: finding.layer)]),
      "properties": .object(properties),
      "suppressions": .array(suppression.map { [entry($0)] } ?? []),
    ]
    if !finding.fingerprint.isEmpty {
      // Without the second one GitHub takes a hash of line 1, which all findings of a file share.
      members["partialFingerprints"] = .object([
        "leakauditFinding/v1": .string(finding.fingerprint),
        "primaryLocationLineHash": .string("\(finding.fingerprint.prefix(16)):1"),
      ])
    }
    if report.policy.hasBaseline {
      members["baselineState"] = .string(suppression?.origin == .baseline ? "unchanged" : "new")
    }
    return .object(members)
  }

  private func entry(_ suppression: SuppressedFinding) -> JSONValue {
    let until = suppression.expires.map { " It holds through \($0)." } ?? ""
    return .object([
      "kind": .string("external"),
      "justification": .string(suppression.reason + until),
    ])
  }
}
