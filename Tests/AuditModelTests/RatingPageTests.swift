import AuditModel
import Foundation
import Testing

/// The tables of `Documentation/Rating.md` are what the code does.
@Suite("Page of the rating")
struct RatingPageTests {
  private static let rows: Set<String> = {
    let file = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Documentation/Rating.md")
    // An empty page fails every test below.
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return Set(text.split(separator: "\n").map(String.init))
  }()

  private func hasRow(startingWith cells: [String]) -> Bool {
    let start = "| " + cells.joined(separator: " | ") + " |"
    return Self.rows.contains { $0.hasPrefix(start) }
  }

  @Test("each recoverability has its row of severities", arguments: Recoverability.allCases)
  func recoverability(recoverability: Recoverability) {
    guard recoverability != .unknown else { return }
    let cells = [Access.files, .exchange, .control].map {
      Rating.severity(recoverability, $0)?.rawValue ?? "–"
    }
    #expect(hasRow(startingWith: ["`\(recoverability.rawValue)`"] + cells))
  }

  @Test("each sensitivity has its row of severities", arguments: Sensitivity.allCases)
  func sensitivity(sensitivity: Sensitivity) {
    let cells = Severity.allCases.sorted(by: >).map {
      Rating.severity($0, for: sensitivity).rawValue
    }
    #expect(hasRow(startingWith: ["`\(sensitivity.rawValue)`"] + cells))
  }

  @Test("each severity has its number", arguments: Severity.allCases)
  func number(severity: Severity) {
    #expect(
      hasRow(startingWith: [severity.rawValue, Rating.securitySeverity(severity) ?? "–"]))
  }
}
