/// Something to know about a suppression itself.
public struct PolicyNotice: Hashable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Its last day has passed, so what it covered counts again.
    case expired
    /// It covers no finding of this run.
    case unused
  }

  public var kind: Kind
  /// Where the suppression is written.
  public var file: String
  /// Counted from 1.
  public var line: Int
  public var text: String

  /// Such as `.leakaudit.yml:12`.
  public var place: String { "\(file):\(line)" }

  public init(kind: Kind, file: String, line: Int, text: String) {
    self.kind = kind
    self.file = file
    self.line = line
    self.text = text
  }
}

/// What was decided beforehand, and what became of it in this run.
public struct PolicySummary: Hashable, Codable, Sendable {
  public var sensitivity: Sensitivity
  /// The least severity that fails the run; `nil` never fails.
  public var failOn: Severity?
  public var suppressed: [SuppressedFinding]
  /// Whether a baseline was given.
  public var hasBaseline: Bool
  /// Number of entries of the baseline that no finding of this run matches.
  public var resolved: Int
  public var notices: [PolicyNotice]

  public init(
    sensitivity: Sensitivity = .personal, failOn: Severity? = .high,
    suppressed: [SuppressedFinding] = [], hasBaseline: Bool = false, resolved: Int = 0,
    notices: [PolicyNotice] = []
  ) {
    self.sensitivity = sensitivity
    self.failOn = failOn
    self.suppressed = suppressed
    self.hasBaseline = hasBaseline
    self.resolved = resolved
    self.notices = notices
  }

  /// The number of findings that somebody accepted beforehand, for whoever decided.
  public func count(_ origin: SuppressedFinding.Origin) -> Int {
    suppressed.count { $0.origin == origin }
  }
}
