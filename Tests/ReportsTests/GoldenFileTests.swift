import AuditModel
import Foundation
import Reports
import Testing

/// Texts that a reviewer has read and committed.
///
/// `LEAKAUDIT_RECORD=1` writes them anew, and that run fails, so a recording is never green.
@Suite("Golden files")
struct GoldenFileTests {
  @Test(
    "a report equals its golden file byte for byte",
    arguments: ["full", "empty", "hostile"], ReportCatalog.names)
  func report(subject: String, format: String) throws {
    let report = try #require(Self.reports[subject])
    let renderer = try #require(ReportCatalog.format(named: format))
    try compare(renderer.init().render(report), with: "\(subject).\(format)")
  }

  @Test("a report of 1,000 layers for a person equals its golden file byte for byte")
  func wideReport() throws { try report(subject: "wide", format: MarkdownReport.name) }

  @Test("the published schema equals its golden file byte for byte")
  func schema() throws {
    try compare(JSONReportSchema.text, with: "report.schema.json")
  }

  static let reports: [String: AuditReport] = [
    "full": Fixture.full,
    "empty": Fixture.empty,
    "hostile": Fixture.hostile("a|b`c\u{202E}\n::error::[x](http://evil.example) @user #1 <b>_*"),
    "wide": wide,
  ]

  /// 1,000 layers of three sorts, one of them unlike all others.
  static var wide: AuditReport {
    var report = Fixture.empty
    report.layers = (0..<1_000).map { index in
      index == 500
        ? Fixture.layer("odd", leak: .partial, reason: "two samples share it")
        : Fixture.layer("block_\(index)", leak: index.isMultiple(of: 2) ? .exact : .notAnalysed)
    }
    return report
  }

  private func compare(_ text: String, with name: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/\(name)")
    guard ProcessInfo.processInfo.environment["LEAKAUDIT_RECORD"] == nil else {
      try Data(text.utf8).write(to: file)
      Issue.record("recorded \(name); read it, then run again without LEAKAUDIT_RECORD")
      return
    }
    let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected, "\(name) differs; record it with LEAKAUDIT_RECORD=1 and review")
  }
}
