internal import AuditModel
internal import Checkpoints
package import Settings

/// Findings that were accepted when a file was first audited.
package struct Baseline: Sendable {
  /// How often each may occur.
  let counts: [FindingKey: Int]

  /// Reads what `leakaudit baseline` writes; errors show `file` as its path.
  package init(_ text: String, file: String) throws(SettingsError) {
    func failure(_ found: String) -> SettingsError {
      SettingsError(
        file: file, line: nil, found: found,
        needed: "a file that 'leakaudit baseline' has written is needed")
    }
    guard let document = JSONValue(untrusted: text) else { throw failure("it is no JSON") }
    guard case .number(let version)? = document["leakauditBaseline"] else {
      throw failure("it is no baseline")
    }
    guard version == 1 else { throw failure("it is a baseline of version \(version)") }
    guard case .array(let entries)? = document["findings"] else {
      throw failure("it has no list 'findings'")
    }
    var counts: [FindingKey: Int] = [:]
    for (index, entry) in entries.enumerated() {
      func text(_ key: String) -> String? {
        if case .string(let text)? = entry[key] { text } else { nil }
      }
      guard let rule = text("rule"), let artifact = text("artifact"),
        let evidence = text("evidence"), let severity = text("severity")
      else {
        throw failure("entry \(index + 1) lacks rule, artifact, evidence or severity")
      }
      let key = FindingKey(
        rule: rule, artifact: artifact, layer: text("layer"), evidence: evidence,
        severity: severity)
      counts[key, default: 0] += 1
    }
    self.counts = counts
  }
}
