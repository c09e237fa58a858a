import AuditModel
import Foundation
import Rules
import Testing

/// `Documentation/Rules.md` is what the rules say about themselves.
///
/// `LEAKAUDIT_RECORD=1` writes it anew, and that run fails, so a recording is never green.
@Suite("Page of the rules")
struct RulesDocumentTests {
  @Test("Documentation/Rules.md equals what the rules say")
  func page() throws {
    let file = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Documentation/Rules.md")
    guard ProcessInfo.processInfo.environment["LEAKAUDIT_RECORD"] == nil else {
      try Data(Self.text.utf8).write(to: file)
      Issue.record("recorded Rules.md; read it, then run again without LEAKAUDIT_RECORD")
      return
    }
    let isEqual = try Self.text == String(contentsOf: file, encoding: .utf8)
    #expect(isEqual, "Rules.md differs; LEAKAUDIT_RECORD=1 records it for review")
  }

  private static var text: String {
    let head = """
      # Rules

      A rule reads an architecture and its weights, and runs nothing. This page is written from the rules
      themselves (`make record`); `leakaudit explain RULE` prints the same. The examples are also the
      rule's tests. How often a rule was wrong is stated with it; on which networks, and what it measured
      there, is in [Calibration.md](Calibration.md), and `leakaudit inspect --rules FILE` measures one file.
      Severities are those for personal data; [Rating.md](Rating.md) says what others make of them, and
      [BuildServers.md](BuildServers.md) how a finding is accepted for a while or a rule turned off.

      A rule is about *exposure*, an honest model that gives inputs away, about *manipulation*, traces of
      somebody who changed a model so that it does, or about a *difference* from a model that was kept
      (`leakaudit compare`).

      | Rule | About | Severity up to | Evidence | Finds |
      |---|---|---|---|---|

      """
    let rows = RuleCatalog.all.map { $0.metadata }.map {
      "| [`\($0.identifier)`](#\($0.identifier)) | \($0.concern.rawValue) | \($0.severity.rawValue) "
        + "| \($0.evidence.rawValue) | \($0.title) |\n"
    }
    return head + rows.joined() + RuleCatalog.all.map { section($0.metadata) }.joined()
  }

  /// A bar would end the cell.
  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

  private static func section(_ rule: RuleMetadata) -> String {
    var text = "\n## \(rule.identifier)\n\n**\(rule.title).** \(rule.rationale)\n"
    if let formula = rule.formula { text += "\nRelation: `\(formula)`\n" }
    text += "\n**Fix:** \(rule.remedy)\n\n**Expected effect:** \(rule.remedyEffect)\n"
    if !rule.thresholds.isEmpty {
      text += "\n| Threshold | Value | Compares |\n|---|--:|---|\n"
      for threshold in rule.thresholds {
        text +=
          "| `\(threshold.name)` | \(threshold.standard.displayed) | \(Self.cell(threshold.meaning)) |\n"
      }
    }
    text += "\n**Measured:** \(rule.measuredErrors)\n"
    if let errors = rule.knownErrors { text += "\n**Known errors:** \(errors)\n" }
    text +=
      "\n- Flagged: \(rule.examples.failing.map { $0.subject.artifact }.joined(separator: "; "))\n"
    text += "- Passed over: \(rule.examples.passing.map { $0.artifact }.joined(separator: "; "))\n"
    for source in rule.sources {
      text += "- Source: \(source.authors), “\(source.title)”, \(source.venue), \(source.locator)\n"
    }
    return text
  }
}
