/// Where a claim comes from, precise enough to check it.
public struct Citation: Hashable, Codable, Sendable {
  public var authors: String
  public var title: String
  public var venue: String
  /// The theorem, equation or section that carries the claim, such as `"Prop. 3.1"`.
  public var locator: String

  public init(_ authors: String, _ title: String, _ venue: String, _ locator: String) {
    self.authors = authors
    self.title = title
    self.venue = venue
    self.locator = locator
  }
}

/// One statement about an audited artefact, with the measurement that supports it.
///
/// Strings that came from a file are stored as they are; a report format escapes them.
public struct Finding: Hashable, Codable, Sendable {
  /// A named number that supports the finding, already rounded for display.
  public struct Measurement: Hashable, Codable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The rule or attack that speaks; stable across releases.
  public var id: String
  /// How much it matters for data of the declared sensitivity.
  public var severity: Severity
  /// The severity that the rule or attack states: the one for personal data.
  public private(set) var statedSeverity: Severity
  public var evidence: Evidence
  /// What an attacker needs.
  public var access: Access
  /// The file the statement is about, as the report displays it.
  public var artifact: String
  /// The layer, if the statement is about one.
  public var layer: String?
  /// What leaks, in one sentence with numbers and units.
  public var message: String
  /// The relation that carries the attack, such as `x = W̄ᵀb̄ / ‖b̄‖²`.
  public var formula: String?
  public var measurements: [Measurement]
  /// What must hold for the statement; each is a sentence.
  public var preconditions: [String]
  /// What to change, in the imperative.
  public var remedy: String
  /// What the remedy is expected to achieve, and what it leaves.
  public var remedyEffect: String?
  public var citations: [Citation]
  /// SHA-256 of what identifies the finding from run to run, in hexadecimal.
  ///
  /// Empty until a report is made. Messages and numbers have no part in it.
  public var fingerprint = ""

  /// A finding with the severity for personal data; ``Rating`` makes the reported one of it.
  public init(
    id: String, severity: Severity, evidence: Evidence, access: Access = .exchange,
    artifact: String, layer: String? = nil, message: String, formula: String? = nil,
    measurements: [Measurement] = [],
    preconditions: [String] = [], remedy: String, remedyEffect: String? = nil,
    citations: [Citation] = []
  ) {
    self.id = id
    self.severity = severity
    self.statedSeverity = severity
    self.evidence = evidence
    self.access = access
    self.artifact = artifact
    self.layer = layer
    self.message = message
    self.formula = formula
    self.measurements = measurements
    self.preconditions = preconditions
    self.remedy = remedy
    self.remedyEffect = remedyEffect
    self.citations = citations
  }

  /// The order of every report: class of evidence, then severity, then place and name.
  package static func reportOrder(_ lhs: Finding, _ rhs: Finding) -> Bool {
    if lhs.evidence != rhs.evidence { return lhs.evidence < rhs.evidence }
    if lhs.severity != rhs.severity { return lhs.severity > rhs.severity }
    return (lhs.artifact, lhs.layer ?? "", lhs.id, lhs.message)
      < (rhs.artifact, rhs.layer ?? "", rhs.id, rhs.message)
  }
}
