package import AuditModel

/// A check that reads an architecture and runs nothing.
///
/// A rule is one file: its metadata, its examples and its logic. The examples are its tests and
/// its documentation; the catalogue test runs all of them.
package protocol Rule: Sendable {
  static var metadata: RuleMetadata { get }
  init()

  /// What the rule has to say about one artefact, in node order.
  func findings(in subject: Subject) -> [Finding]
}

/// What a reader needs to know about a rule before its first finding.
package struct RuleMetadata: Sendable {
  /// Stable across releases; it appears in suppressions and in SARIF.
  package var identifier: String
  /// The pattern the rule finds.
  package var title: String
  /// The highest severity a finding of this rule can have, where the data are personal.
  package var severity: Severity
  package var evidence: Evidence
  /// What an attacker needs; most patterns leak to whoever sees a gradient.
  package var access = Access.exchange
  /// Why the pattern leaks, with the quantity involved.
  package var rationale: String
  /// The relation behind the rule, where there is one.
  package var formula: String?
  /// What to change, in the imperative.
  package var remedy: String
  /// What the remedy is expected to achieve, and what it leaves.
  package var remedyEffect: String
  package var sources: [Citation]
  /// What the rule compares with; settings may replace the values.
  package var thresholds: [Threshold] = []
  package var examples: Examples

  /// Subjects the rule must stay silent on, and subjects it must flag at exactly one place.
  package struct Examples: Sendable {
    package var passing: [Subject]
    /// The layer is `nil` where the finding is about the whole artefact.
    package var failing: [(subject: Subject, layer: String?)]
  }
}

extension Rule {
  /// What the settings of `subject` compare with, or the rule's own value.
  func value(of threshold: Threshold, in subject: Subject) -> Double {
    subject.settings.value(of: threshold, in: Self.metadata.identifier)
  }

  /// A finding of this rule; what is not stated comes from the metadata.
  func finding(
    in subject: Subject, at layer: String?, severity: Severity? = nil, evidence: Evidence? = nil,
    message: String, measurements: [Finding.Measurement] = [], preconditions: [String]
  ) -> Finding {
    let metadata = Self.metadata
    return Finding(
      id: metadata.identifier, severity: severity ?? metadata.severity,
      evidence: evidence ?? metadata.evidence, access: metadata.access,
      artifact: subject.artifact, layer: layer, message: message, formula: metadata.formula, measurements: measurements,
      preconditions: preconditions, remedy: metadata.remedy, remedyEffect: metadata.remedyEffect,
      citations: metadata.sources)
  }
}
