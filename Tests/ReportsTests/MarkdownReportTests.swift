import AuditModel
import Reports
import Testing

@Suite("Markdown report")
struct MarkdownReportTests {
  private func render(_ report: AuditReport) -> String { MarkdownReport().render(report) }

  @Test(
    "hostile text in every field changes neither the lines nor the tables",
    arguments: [
      "a|b", "x\n\n# Safe", "x\r| y |", "`", "```", "\\", "\\|", "a`|`b",
      "<script>alert(1)</script>",
      "[x](javascript:1)", "![x](http://e.example/p.png)", "www.e.example", "@org/team", "#1",
      "\u{1B}[2J", "\u{202E}evil", "::error::x", "##[error]x", "- [ ] x", "> q", "---", "| --- |",
      "<!--", "&lt;b&gt;", "**b**", "__b__", "~~~", "    code", "1) x", "***",
    ])
  func hostileText(text: String) {
    let hostile = shape(render(Fixture.hostile(text)))
    let plain = shape(render(Fixture.hostile("x")))
    #expect(hostile == plain)
  }

  @Test("nothing live survives outside code spans")
  func nothingLive() {
    let text =
      "<b> http://e.example www.e.example @user #12 GH-1 ![i](u) \u{1B}[0m \u{202E} ::set-output::"
    let report = render(Fixture.hostile(text))
    let prose = withoutCodeSpans(report)
    for live in [
      "<b>", "http://", "www.", "@user", "#12", "GH-1", "![", "\u{1B}", "\u{202E}",
    ] {
      #expect(!prose.contains(live), "\(live)")
    }
    let lines = report.split(separator: "\n")
    #expect(!lines.contains { $0.drop { $0.isWhitespace }.hasPrefix("::") })
    #expect(!report.contains("##["))
    #expect(!prose.contains(/[^\\]\]\(/), "a bracket without a backslash")
  }

  @Test("a name of 10,000 letters does not fill the report")
  func longNames() {
    var report = Fixture.empty
    report.layers = [Fixture.layer(String(repeating: "a", count: 10_000), leak: .exact)]
    #expect(!render(report).contains(String(repeating: "a", count: 201)))
    #expect(render(report).contains("…`"))
  }

  @Test("1,000 layers take few rows and every layer is counted")
  func manyLayers() {
    let text = render(GoldenFileTests.wide)
    #expect(text.contains("499 layers: `block_0` … `block_998`"))
    #expect(text.contains("500 layers: `block_1` … `block_999`"))
    #expect(text.contains("| `odd` |"))
    #expect(text.contains("1,000 layers."))
    #expect(text.contains("| 499,000 |"))
  }

  @Test(
    "a number has three digits, its unit and no needless exponent",
    arguments: [
      (173.28, "173"), (9.996, "10"), (0.00123456, "0.00123"), (0.000123456, "1.23e-4"),
      (99_950, "100000"), (123_456, "123000"), (1.5e300, "1.5e300"), (0, "0"), (-0.5, "−0.5"),
      (.infinity, "∞"), (.leastNonzeroMagnitude, "5e-324"), (12.05, "12.1"), (40, "40"),
      (1e6, "1e6"),
    ])
  func numbers(value: Double, text: String) {
    var report = Fixture.full
    report.recoveries[0].quality = .init(
      meanSquaredError: [], psnr: [value], greyPSNR: 9, meanImagePSNR: nil, labelsCorrect: nil)
    let row = " PSNR \(text) dB; the middle value everywhere scores 9 dB |"
    #expect(render(report).contains(row))
  }

  @Test("the worst and the best of several samples are told apart")
  func qualityRange() {
    var report = Fixture.full
    report.recoveries[0].quality = .init(
      meanSquaredError: [0.25, 1e-9], psnr: [6, 90], greyPSNR: 9.04, meanImagePSNR: 12.34,
      valueRange: -2.118...2.64, labelsCorrect: 1)
    let text =
      "PSNR 6 dB (worst) to 90 dB (best) (values −2.12…2.64); a grey picture scores 9.04 dB, one of "
      + "the right mean colour 12.3 dB; MSE 0.25 (worst) to 1e-9 (best); 1 of 2 labels right"
    #expect(render(report).contains(text))
  }

  @Test("60 layers have a row each")
  func someLayers() {
    var report = Fixture.empty
    report.layers = (0..<60).map { Fixture.layer("l\($0)", leak: .exact) }
    let rows = render(report).split(separator: "\n").count { $0.hasPrefix("| `l") }
    #expect(rows == 60)
  }

  @Test("what was not examined is never among what was cleared")
  func twoLists() throws {
    let text = render(Fixture.full)
    let cleared = try #require(section("Nothing found", of: text))
    let unseen = try #require(section("Not looked at", of: text))
    #expect(cleared.contains("`flatten`") && !cleared.contains("`conv`"))
    #expect(!cleared.contains("`fc2`"), "an inconclusive layer is not cleared")
    #expect(unseen.contains("`conv`") && !unseen.contains("`flatten`"))
  }

  @Test("an empty report says that nothing was found, skipped or read")
  func emptyReport() throws {
    let text = render(Fixture.empty)
    #expect(section("Not looked at", of: text)?.contains("Nothing was skipped.") == true)
    #expect(text.contains("No findings."))
    #expect(text.contains("A failed attack is not evidence of privacy."))
    #expect(!text.contains("Findings by evidence"))
  }

  @Test("findings stand in the order of evidence, whatever order they were set in")
  func order() throws {
    var report = Fixture.full
    report.findings.reverse()
    #expect(render(report) == render(Fixture.full))
    let text = render(report)
    let proven = try #require(text.firstRange(of: "### CRITICAL"))
    let structural = try #require(text.firstRange(of: "### HIGH"))
    #expect(proven.lowerBound < structural.lowerBound)
  }

  @Test("the report ends in one line break and has no two empty lines in a row")
  func lastLine() {
    let text = render(Fixture.full)
    #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n") && !text.contains("\n\n\n"))
  }

  /// What Markdown sees of each line: its block marker and, in a table, its number of cells.
  private func shape(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard line.hasPrefix("|") else { return String(line.prefix { "#- ".contains($0) }) }
      return "cells: \(cells(of: line))"
    }
  }

  /// Unescaped pipes, with a backslash escaping exactly the next character.
  private func cells(of line: Substring) -> Int {
    var (pipes, isEscaped) = (0, false)
    for character in line {
      if character == "|", !isEscaped { pipes += 1 }
      isEscaped = character == "\\" && !isEscaped
    }
    return pipes
  }

  private func section(_ title: String, of text: String) -> Substring? {
    text.split(separator: "\n## ").first { $0.hasPrefix(title) }
  }

  private func withoutCodeSpans(_ text: String) -> String {
    text.replacing(/(`+)[^`\n].*?\1/, with: "")
  }
}
