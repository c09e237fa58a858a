/// The least severity that fails a run.
public enum FailThreshold: String, Codable, Sendable, CaseIterable {
  case none, low, medium, high, critical

  /// `nil` never fails.
  public var severity: Severity? { Severity(rawValue: rawValue) }
}
