internal import Attacks
internal import AuditModel
internal import Rules

/// What a rule or an attack says about itself, for `leakaudit explain`.
package enum Explanation {
  /// Every identifier that can be explained, sorted.
  package static var identifiers: [String] {
    (RuleCatalog.all.map { $0.metadata.identifier }
      + AttackCatalog.identifiers + [FileHazard.identifier]).sorted()
  }

  /// Plain text, or `nil` if there is no such identifier.
  package static func text(for identifier: String) -> String? {
    if let rule = RuleCatalog.rule(identifiedBy: identifier)?.metadata {
      return page(
        identifier, rule.title,
        "static rule about \(rule.concern.rawValue), severity up to \(rule.severity.rawValue), evidence "
          + rule.evidence.rawValue,
        [
          ("Why", rule.rationale), ("Formula", rule.formula), ("Remedy", rule.remedy),
          ("Effect of the remedy", rule.remedyEffect), ("Known errors", rule.knownErrors),
          (
            "Thresholds",
            rule.thresholds.map { "\($0.name) = \($0.standard.displayed): \($0.meaning)" }
              .joined(separator: "\n")
          ),
        ], rule.sources)
    }
    if let attack = AttackCatalog.metadata(identifiedBy: identifier) {
      return page(
        identifier, attack.title, "closed-form recovery",
        [
          ("Claim", attack.claim), ("Formula", attack.formula),
          ("Conditions", attack.conditions.joined(separator: "\n")), ("Remedy", attack.remedy),
          ("Effect of the remedy", attack.remedyEffect),
        ], attack.sources)
    }
    guard identifier == FileHazard.identifier else { return nil }
    return page(
      identifier, FileHazard.title, "file check, severity high", [("Why", FileHazard.rationale)], []
    )
  }

  /// The known identifier most like a misspelt one.
  package static func nearest(to identifier: String) -> String? {
    identifiers.min { distance($0, identifier) < distance($1, identifier) }
  }

  private static func page(
    _ identifier: String, _ title: String, _ kind: String, _ parts: [(String, String?)],
    _ sources: [Citation]
  ) -> String {
    var text = "\(identifier)\n\(title)\n(\(kind))\n"
    for case (let heading, let body?) in parts where !body.isEmpty {
      text += "\n\(heading):\n"
      text += body.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
    if !sources.isEmpty {
      text += "\nSources:\n"
      for source in sources {
        text += "  \(source.authors), \(source.title), \(source.venue) (\(source.locator))\n"
      }
    }
    return text
  }

  /// Levenshtein distance, the number of edits between two words.
  private static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let substituted = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
