/// Which rules run, and where they draw their lines.
package struct RuleSettings: Sendable, Equatable {
  /// Identifiers of rules that are not run.
  package var disabled: Set<String>
  /// Values that replace a rule's own: identifier of the rule → name of the threshold → value.
  package var thresholds: [String: [String: Double]]

  package init(disabled: Set<String> = [], thresholds: [String: [String: Double]] = [:]) {
    self.disabled = disabled
    self.thresholds = thresholds
  }

  /// What the rule `identifier` compares with.
  package func value(of threshold: Threshold, in identifier: String) -> Double {
    thresholds[identifier]?[threshold.name] ?? threshold.standard
  }
}

/// A number that a rule compares a measurement with.
package struct Threshold: Sendable, Equatable {
  /// Stable across releases, such as `equal-rows`; it appears in settings.
  package var name: String
  /// The value where settings name none, calibrated on clean networks.
  package var standard: Double
  /// What is compared, with its unit; a phrase without its full stop.
  package var meaning: String

  package init(_ name: String, _ standard: Double, _ meaning: String) {
    self.name = name
    self.standard = standard
    self.meaning = meaning
  }
}
