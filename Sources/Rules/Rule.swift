package import AuditModel

/// A check that reads an architecture and its weights, and runs nothing.
///
/// A rule is one file: its metadata, its examples and its logic. The examples are its tests and
/// its documentation; the catalogue test runs all of them.
package protocol Rule: Sendable {
  static var metadata: RuleMetadata { get }
  init()

  /// What the rule has to say about one artefact, in node order.
  func findings(in subject: Subject) -> [Finding]

  /// What the rule measures on one artefact, for calibration; nothing if it measures nothing.
  func statistics(in subject: Subject) -> [Statistic]
}

/// What a reader needs to know about a rule before its first finding.
package struct RuleMetadata: Sendable {
  /// What a rule is about.
  package enum Concern: String, Sendable, CaseIterable {
    /// An honest model that gives inputs away.
    case exposure
    /// Traces of somebody who changed a model so that it gives inputs away.
    case manipulation
    /// Differences from a model that was kept.
    case difference
  }

  /// Stable across releases; it appears in suppressions and in SARIF.
  package var identifier: String
  /// The pattern the rule finds.
  package var title: String
  package var concern: Concern
  /// The highest severity a finding of this rule can have, where the data are personal.
  package var severity: Severity
  package var evidence: Evidence
  /// What an attacker needs; most patterns leak to whoever sees a gradient.
  package var access: Access
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
  package var thresholds: [Threshold]
  /// Networks the rule is wrong about, in a sentence; `nil` where none are known.
  package var knownErrors: String?
  private let makeExamples: @Sendable () -> Examples

  package init(
    identifier: String, title: String, concern: Concern = .exposure, severity: Severity,
    evidence: Evidence, access: Access = .exchange, rationale: String, formula: String?,
    remedy: String,
    remedyEffect: String, sources: [Citation], thresholds: [Threshold] = [],
    knownErrors: String? = nil, examples: @autoclosure @escaping @Sendable () -> Examples
  ) {
    self.identifier = identifier
    self.title = title
    self.concern = concern
    self.severity = severity
    self.evidence = evidence
    self.access = access
    self.rationale = rationale
    self.formula = formula
    self.remedy = remedy
    self.remedyEffect = remedyEffect
    self.sources = sources
    self.thresholds = thresholds
    self.knownErrors = knownErrors
    makeExamples = examples
  }

  /// Made anew each time: some hold weights.
  package var examples: Examples { makeExamples() }

  /// Subjects the rule must stay silent on, and subjects it must flag at exactly one place.
  package struct Examples: Sendable {
    package var passing: [Subject]
    /// The layer is `nil` where the finding is about the whole artefact.
    package var failing: [(subject: Subject, layer: String?)]
  }
}

/// A number that a rule compares with a threshold, whether or not it reaches it.
package struct Statistic: Sendable {
  /// The identifier of the rule, and the name of the threshold.
  package var rule: String
  package var threshold: String
  package var layer: String?
  package var value: Double
}

extension Rule {
  package func statistics(in subject: Subject) -> [Statistic] { [] }

  /// One measured number of this rule.
  func statistic(_ value: Double, _ threshold: Threshold, at layer: String?) -> Statistic {
    Statistic(
      rule: Self.metadata.identifier, threshold: threshold.name, layer: layer, value: value)
  }

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
      artifact: subject.artifact, layer: layer, message: message, formula: metadata.formula,
      measurements: measurements,
      preconditions: preconditions, remedy: metadata.remedy, remedyEffect: metadata.remedyEffect,
      citations: metadata.sources)
  }
}
