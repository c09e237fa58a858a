import Foundation
import Testing

@Suite("Hostile files")
struct HostileFileTests {
  /// One file of the corpus and what may come of it; the corpus' README explains the fields.
  struct Entry: Decodable, Sendable, CustomTestStringConvertible {
    var file: String
    var why: String
    var exit: [Int32]
    var must: [String]
    var mustNot: [String]
    var mustNotMarkup: [String]?

    var testDescription: String { file }
  }

  static let entries: [Entry] = {
    let manifest = Tool.root.appending(path: "Tests/Fixtures/hostile/manifest.json")
    // An empty list fails the test below.
    return (try? JSONDecoder().decode([Entry].self, from: Data(contentsOf: manifest))) ?? []
  }()

  @Test("the manifest lists every file but the targets of links")
  func manifest() throws {
    let folder = Tool.root.appending(path: "Tests/Fixtures/hostile/files")
    let targets = ["secret_marker.h5", "secret_marker_0.h5"]
    let files = try Tool.contents(of: folder).filter { !targets.contains($0) }
    #expect(Self.entries.map(\.file) == files && files.count > 500)
  }

  @Test("a hostile file neither crashes, stalls, misleads nor robs the audit", arguments: entries)
  func audit(entry: Entry) throws {
    let outcome = try Tool.run(["audit", Tool.hostile(entry.file)], within: 10)
    #expect(outcome.signal == nil, "\(entry.why)")
    #expect(entry.exit.contains(outcome.code), "\(entry.why): \(outcome.errorText)")
    let text = (outcome.text + "\n" + outcome.errorText).lowercased()
    for wanted in entry.must { #expect(text.contains(wanted.lowercased()), "\(entry.why)") }
    for forbidden in entry.mustNot {
      #expect(!text.contains(forbidden.lowercased()), "\(entry.why)")
    }
    let active = Self.markup(of: outcome.text).lowercased()
    for forbidden in entry.mustNotMarkup ?? [] {
      #expect(!active.contains(forbidden.lowercased()), "\(entry.why)")
    }
  }

  /// Markdown without its code spans; in a table row, cells end before code spans do.
  private static func markup(of report: String) -> String {
    report.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard line.hasPrefix("|") else { return withoutCodeSpans(line) }
      return line.replacing("\\|", with: "\u{0}").split(separator: "|")
        .map { withoutCodeSpans($0) }.joined(separator: "|")
    }.joined(separator: "\n")
  }

  /// A span opens with a run of backticks and closes with the next run of equal length.
  private static func withoutCodeSpans(_ line: Substring) -> String {
    var result = ""
    var rest = line
    while let start = rest.firstIndex(of: "`") {
      result += rest[..<start]
      let isEscaped = result.hasSuffix("\\")
      let run = rest[start...].prefix { $0 == "`" }
      rest = rest[run.endIndex...]
      guard !isEscaped else {
        result += run
        continue
      }
      guard let end = closing(run.count, in: rest) else {
        result += run
        continue
      }
      rest = rest[end...]
    }
    return result + rest
  }

  private static func closing(_ length: Int, in text: Substring) -> Substring.Index? {
    var rest = text
    while let start = rest.firstIndex(of: "`") {
      let run = rest[start...].prefix { $0 == "`" }
      if run.count == length { return run.endIndex }
      rest = rest[run.endIndex...]
    }
    return nil
  }
}
