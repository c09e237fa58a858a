internal import AuditModel
internal import Checkpoints

/// What makes a finding the same one in the next run: no message, no number, nothing of the options.
///
/// Evidence and stated severity belong to it, so that a finding that got worse is a new one.
struct FindingKey: Hashable, Sendable {
  var rule: String
  var artifact: String
  var layer: String?
  var evidence: String
  var severity: String

  init(_ finding: Finding) {
    rule = finding.id
    artifact = finding.artifact
    layer = finding.layer
    evidence = finding.evidence.rawValue
    severity = finding.statedSeverity.rawValue
  }

  init(rule: String, artifact: String, layer: String?, evidence: String, severity: String) {
    self.rule = rule
    self.artifact = artifact
    self.layer = layer
    self.evidence = evidence
    self.severity = severity
  }

  /// The SHA-256 of the fields, each with its length, and of how many equal keys came before.
  func fingerprint(occurrence: Int) -> String {
    let fields = [rule, artifact, layer ?? "", evidence, severity, "\(occurrence)"]
    return Digest.sha256(
      "leakaudit-finding-1" + (layer == nil ? "-" : "+")
        + fields.map { "\($0.utf8.count):\($0)" }.joined())
  }
}

extension [Finding] {
  /// The findings in the order of reports, each with its fingerprint.
  func fingerprinted() -> [Finding] {
    var seen: [FindingKey: Int] = [:]
    return sorted(by: Finding.reportOrder).map { finding in
      var finding = finding
      let key = FindingKey(finding)
      finding.fingerprint = key.fingerprint(occurrence: seen[key, default: 0])
      seen[key, default: 0] += 1
      return finding
    }
  }
}
