/// What a rule or an attack says about itself, for readers of its findings.
public struct RuleDescription: Hashable, Codable, Sendable {
  public var identifier: String
  /// The pattern it finds, without a full stop.
  public var title: String
  /// What it is, such as "static rule, severity up to high, evidence structural".
  public var kind: String
  /// Headed paragraphs in reading order; no body is empty.
  public var parts: [Part]
  public var sources: [Citation]

  public struct Part: Hashable, Codable, Sendable {
    public var heading: String
    public var body: String
    /// Whether the body is a formula or lines of a file, where blanks and line breaks count.
    public var isVerbatim: Bool

    public init(_ heading: String, _ body: String, isVerbatim: Bool = false) {
      self.heading = heading
      self.body = body
      self.isVerbatim = isVerbatim
    }
  }

  public init(
    identifier: String, title: String, kind: String, parts: [Part], sources: [Citation]
  ) {
    self.identifier = identifier
    self.title = title
    self.kind = kind
    self.parts = parts
    self.sources = sources
  }
}
