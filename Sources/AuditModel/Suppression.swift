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
  /// Where it is written.
  public var file: String
  /// Counted from 1.
  public var line: Int

  public init(
    rule: String, path: Glob?, layer: Glob?, reason: String, expires: CalendarDate, file: String,
    line: Int
  ) {
    self.rule = rule
    self.path = path
    self.layer = layer
    self.reason = reason
    self.expires = expires
    self.file = file
    self.line = line
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
