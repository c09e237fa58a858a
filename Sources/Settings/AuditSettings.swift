package import AuditModel
package import Rules

/// What `.leakaudit.yml` says; what it does not say is `nil` or empty.
package struct AuditSettings: Sendable, Equatable {
  package var failOn: FailThreshold?
  package var sensitivity: Sensitivity?
  package var rules = RuleSettings()
  /// The numerical attacks to run; empty for none, `nil` if the file does not say.
  package var attacks: [InversionSettings.Attack]?
  /// What replaces the settings of their presets.
  package var inversion = InversionOverrides()
  /// In the order of the file.
  package var suppressions: [Suppression] = []

  package init() {}
}

/// The words that settings may use for rules, attacks and thresholds.
package struct SettingsVocabulary: Sendable {
  /// Every identifier a finding can have.
  package var identifiers: [String]
  /// The rules among them, each with the names of its thresholds.
  package var thresholds: [String: [String]]

  package init(identifiers: [String], thresholds: [String: [String]]) {
    self.identifiers = identifiers
    self.thresholds = thresholds
  }
}
