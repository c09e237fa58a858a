/// What can be read back, the first factor of a rating.
public enum Recoverability: String, Codable, Sendable, CaseIterable {
  /// Inputs were read back from the audited files, and the recovery is proven.
  case demonstrated
  /// A theorem or an estimate says that inputs can be read back.
  case determined
  /// Labels, hidden features or mixtures of samples can be read.
  case partial
  /// A condition that helps an attacker who already has more.
  case aid
  /// Context, nothing to act on.
  case nothing
  /// Something prevented a judgement; never to be read as `nothing`.
  case unknown
}

/// What an attacker needs, the second factor of a rating.
public enum Access: String, Codable, Sendable, CaseIterable {
  /// The audited files themselves, such as a checkpoint with fresh optimiser state.
  case files
  /// A gradient or an update of one client, which every server of federated learning receives.
  case exchange
  /// The same, and in addition the power to choose or alter the model before clients train it.
  case control
  /// Nothing but that somebody opens the file; the reader is at risk, not the data behind the model.
  case opening
}

/// What the data behind the model are, as the person who runs the audit declares; the third factor.
public enum Sensitivity: String, Codable, Sendable, CaseIterable {
  /// Already published.
  case `public`
  /// Confidential, and about no person.
  case `internal`
  /// About an identified or identifiable person (GDPR Art. 4(1)); assumed unless stated.
  case personal
  /// Special categories, such as health or biometric data, or criminal offences (GDPR Art. 9, 10).
  case special
}

/// The only place that turns recoverability, access and sensitivity into a severity.
///
/// Both tables are published in `Documentation/Rating.md`, with a reason for each step.
public enum Rating {
  /// The severity that a rule or an attack states: the one for personal data.
  ///
  /// - Returns: `nil` where there is nothing to rate: a demonstration took no control of the model,
  ///   opening a file is not about data, and what cannot be judged keeps the severity its rule states.
  public static func severity(_ recoverability: Recoverability, _ access: Access) -> Severity? {
    switch (recoverability, access) {
    case (.unknown, _), (_, .opening), (.demonstrated, .control): nil
    case (.demonstrated, _): .critical
    case (.determined, .control): .medium
    case (.determined, _): .high
    case (.partial, .control): .low
    case (.partial, _): .medium
    case (.aid, .control): .info
    case (.aid, _): .low
    case (.nothing, _): .info
    }
  }

  /// The severity reported for data of the declared sensitivity, from the one for personal data.
  public static func severity(_ severity: Severity, for sensitivity: Sensitivity) -> Severity {
    switch (sensitivity, severity) {
    case (_, .info): .info
    case (.personal, _): severity
    case (.public, .critical), (.public, .high): .low
    case (.public, _): .info
    case (.internal, .critical): .high
    case (.internal, .high): .medium
    case (.internal, _): .low
    case (.special, .critical), (.special, .high): .critical
    case (.special, .medium): .high
    case (.special, .low): .low
    }
  }

  /// The `security-severity` of SARIF, in the middle of GitHub's band of that name.
  ///
  /// It carries no more than the word: GitHub wants a number to sort by. Bands: critical above 9.0,
  /// high 7.0–8.9, medium 4.0–6.9, low 0.1–3.9.
  ///
  /// - Returns: `nil` for `info`, which has no band.
  public static func securitySeverity(_ severity: Severity) -> String? {
    switch severity {
    case .critical: "9.5"
    case .high: "8.0"
    case .medium: "5.5"
    case .low: "2.0"
    case .info: nil
    }
  }
}

extension Finding {
  /// What can be read back, as the severity that the rule or attack states says it.
  public var recoverability: Recoverability {
    guard access != .opening else { return .nothing }
    guard evidence != .inconclusive else { return .unknown }
    let candidates = Recoverability.allCases.filter {
      Rating.severity($0, access) == statedSeverity
    }
    // Only a proof demonstrates; a rule that states more than its evidence carries does not.
    return candidates.first { $0 != .demonstrated || evidence == .proven } ?? .determined
  }

  /// The finding with the severity for data of the declared sensitivity.
  public func rated(for sensitivity: Sensitivity) -> Finding {
    var finding = self
    finding.severity =
      access == .opening ? statedSeverity : Rating.severity(statedSeverity, for: sensitivity)
    return finding
  }
}
