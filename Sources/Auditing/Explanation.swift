internal import Attacks
internal import AuditModel
internal import Rules

/// What a rule or an attack says about itself, for `leakaudit explain` and for reports.
package enum Explanation {
  /// Every identifier that can be explained, sorted.
  package static var identifiers: [String] {
    (RuleCatalog.all.map { $0.metadata.identifier }
      + AttackCatalog.identifiers + [FileHazard.identifier]).sorted()
  }

  /// Plain text, or `nil` if there is no such identifier.
  package static func text(for identifier: String) -> String? {
    description(of: identifier).map(page)
  }

  /// The known identifier most like a misspelt one.
  package static func nearest(to identifier: String) -> String? {
    Spelling.nearest(to: identifier, among: identifiers)
  }

  /// `nil` if there is no such identifier.
  static func description(of identifier: String) -> RuleDescription? {
    if let rule = RuleCatalog.rule(identifiedBy: identifier)?.metadata {
      return describe(
        identifier, rule.title,
        "static rule about \(rule.concern.rawValue), severity up to \(rule.severity.rawValue), "
          + "evidence \(rule.evidence.rawValue)",
        [
          .init("Why", rule.rationale), .init("Formula", rule.formula ?? "", isVerbatim: true),
          .init("Remedy", rule.remedy), .init("Effect of the remedy", rule.remedyEffect),
          .init("Measured", rule.measuredErrors),
          .init("Known errors", rule.knownErrors ?? ""),
          .init("Thresholds", rule.thresholds.map(line).joined(separator: "\n")),
          acceptance(identifier),
          .init(
            "To turn it off there", "rules:\n  \(identifier): off", isVerbatim: true),
        ], rule.sources)
    }
    if let attack = AttackCatalog.metadata(identifiedBy: identifier) {
      return describe(
        identifier, attack.title, "closed-form recovery",
        [
          .init("Claim", attack.claim), .init("Formula", attack.formula, isVerbatim: true),
          .init("Conditions", attack.conditions.joined(separator: "\n")),
          .init("Remedy", attack.remedy), .init("Effect of the remedy", attack.remedyEffect),
          acceptance(identifier),
        ], attack.sources)
    }
    guard identifier == FileHazard.identifier else { return nil }
    return describe(
      identifier, FileHazard.title, "file check, severity high",
      [.init("Why", FileHazard.rationale), acceptance(identifier)], [])
  }

  /// How a finding is accepted for a while.
  private static func acceptance(_ identifier: String) -> RuleDescription.Part {
    RuleDescription.Part(
      "To accept it for a while, in .leakaudit.yml",
      """
      suppressions:
        - rule: \(identifier)
          path: "models/*.h5"
          reason: why this is acceptable
          expires: YYYY-MM-DD
      """, isVerbatim: true)
  }

  private static func line(_ threshold: Threshold) -> String {
    "\(threshold.name) = \(threshold.standard.displayed): \(threshold.meaning)"
  }

  private static func describe(
    _ identifier: String, _ title: String, _ kind: String, _ parts: [RuleDescription.Part],
    _ sources: [Citation]
  ) -> RuleDescription {
    RuleDescription(
      identifier: identifier, title: title, kind: kind, parts: parts.filter { !$0.body.isEmpty },
      sources: sources)
  }

  private static func page(_ description: RuleDescription) -> String {
    var text = "\(description.identifier)\n\(description.title)\n(\(description.kind))\n"
    for part in description.parts {
      text += "\n\(part.heading):\n"
      text += part.body.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
    if !description.sources.isEmpty {
      text += "\nSources:\n"
      for source in description.sources {
        text += "  \(source.authors), \(source.title), \(source.venue) (\(source.locator))\n"
      }
    }
    return text
  }
}
