/// A decision not to act on some findings for a while.
public struct Suppression: Hashable, Codable, Sendable {
  /// The identifier of the rule or attack.
  public var rule: String
  /// Which files; `nil` is any.
  public var path: Glob?
  /// Which layers; `nil` is any, and findings about no layer.
  public var layer: Glob?
  public var reason: String
  /// The last day on which it holds.
  public var expires: CalendarDate
  /// Where it is written, such as `.leakaudit.yml:12`.
  public var place: String

  public init(
    rule: String, path: Glob?, layer: Glob?, reason: String, expires: CalendarDate, place: String
  ) {
    self.rule = rule
    self.path = path
    self.layer = layer
    self.reason = reason
    self.expires = expires
    self.place = place
  }

  /// Whether it speaks about `finding`, expired or not.
  public func covers(_ finding: Finding) -> Bool {
    guard rule == finding.id, path?.matches(finding.artifact) ?? true else { return false }
    guard let layer else { return true }
    return finding.layer.map(layer.matches) ?? false
  }
}

/// A finding that is reported and does not count.
public struct SuppressedFinding: Hashable, Codable, Sendable {
  /// Who decided.
  public enum Origin: String, Codable, Sendable, CaseIterable {
    /// It is in the baseline, so it is not new.
    case baseline
    /// A suppression of the configuration covers it.
    case configuration
  }

  public var finding: Finding
  public var origin: Origin
  public var reason: String
  /// The last day on which that holds; a baseline has none.
  public var expires: CalendarDate?

  public init(finding: Finding, origin: Origin, reason: String, expires: CalendarDate? = nil) {
    self.finding = finding
    self.origin = origin
    self.reason = reason
    self.expires = expires
  }
}

/// Something to know about a suppression itself.
public struct PolicyNotice: Hashable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// Its last day has passed, so what it covered counts again.
    case expired
    /// It covers no finding of this run.
    case unused
  }

  public var kind: Kind
  /// The file and line of the suppression.
  public var place: String
  public var text: String

  public init(kind: Kind, place: String, text: String) {
    self.kind = kind
    self.place = place
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
