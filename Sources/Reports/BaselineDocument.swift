package import AuditModel

/// The file that `leakaudit baseline` writes: what a later audit does not report as new.
///
/// A finding is the same one if rule, file, layer, evidence and stated severity agree; the message is
/// there for whoever reviews the file.
package enum BaselineDocument {
  package static func text(_ findings: [Finding]) -> String {
    JSONValue.object([
      "leakauditBaseline": .integer(1),
      "findings": .array(
        findings.sorted(by: Finding.reportOrder).map { finding in
          .object([
            "rule": .string(finding.id),
            "artifact": .string(finding.artifact),
            "layer": JSONValue(finding.layer),
            "evidence": .string(finding.evidence.rawValue),
            "severity": .string(finding.statedSeverity.rawValue),
            "message": .string(finding.message),
          ])
        }),
    ]).text
  }
}
