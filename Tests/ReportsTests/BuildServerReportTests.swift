import AuditModel
import Foundation
import Reports
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Reports for build servers")
struct BuildServerReportTests {
  /// A report with `count` findings of each severity.
  private func large(_ count: Int, message: String = "It leaks.") -> AuditReport {
    var report = Fixture.empty
    report.exitCode = 1
    report.findings = (0..<count).flatMap { index in
      Severity.allCases.map {
        Finding(
          id: "rule", severity: $0, evidence: .structural, artifact: "model_\(index).h5",
          layer: "layer_\(index)", message: message, remedy: "Fix it.")
      }
    }
    return report
  }

  @Test("GitHub gets no more than it keeps of each level, and is told how many it does not get")
  func annotationLimit() {
    let lines = GitHubAnnotations().render(large(1_000)).split(separator: "\n")
    for level in ["error", "warning", "notice"] {
      #expect(lines.count { $0.hasPrefix("::\(level) ") } == 10, "\(level)")
    }
    // 2,000 findings are high or critical, 1,000 medium, 2,000 below.
    #expect(lines.contains { $0.hasPrefix("::error title=leakaudit::1,991 more") })
    #expect(lines.contains { $0.hasPrefix("::warning title=leakaudit::991 more") })
    #expect(lines.contains { $0.hasPrefix("::notice title=leakaudit::1,992 more") })
  }

  @Test("an annotation is an error if it fails the run")
  func annotationLevels() {
    var report = large(1)
    func level(of severity: Severity) -> String? {
      GitHubAnnotations().render(report).split(separator: "\n")
        .first { $0.contains("%3A \(severity.rawValue)%3A") }
        .map { String($0.prefix { $0 != " " }) }
    }
    #expect(level(of: .high) == "::error" && level(of: .medium) == "::warning")
    report.policy.failOn = .critical
    #expect(level(of: .critical) == "::error" && level(of: .high) == "::warning")
    #expect(level(of: .low) == "::notice")
    report.policy.failOn = nil
    #expect(level(of: .critical) == "::warning")
  }

  @Test("no text becomes a command, a property or a second line of an annotation")
  func hostileAnnotations() {
    let report = Fixture.hostile("a,line=9::b%0A\n::stop-commands::x")
    let lines = GitHubAnnotations().render(report).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.dropLast().allSatisfy {
        $0.hasPrefix("::error ") || $0.hasPrefix("::warning ") || $0.hasPrefix("::notice ")
      })
    for line in lines.dropLast() where line.contains("file=") {
      let properties = line.split(separator: "::", maxSplits: 1)[0]
      #expect(properties.split(separator: ",").count == 3, "\(line)")
    }
  }

  @Test("a summary of any number of findings stays under 1 MiB and says what it leaves out")
  func summaryLimit() throws {
    let long = String(repeating: "\u{202E}|", count: 2_000)
    for (count, message) in [(3_000, "It leaks."), (150, long)] {
      let report = large(count, message: message)
      let text = JobSummary().render(report)
      #expect(text.utf8.count < 1 << 20)
      let shown = text.split(separator: "\n").count { $0.hasPrefix("| ") } - 2
      let left = try #require(text.firstMatch(of: /\n([0-9,]+) more findings are left out/)?.1)
      #expect(shown > 100 && Int(left.replacing(",", with: "")) == 5 * count - shown)
    }
    #expect(!JobSummary().render(Fixture.full).contains("left out"))
  }

  @Test("the lists of a summary end, however much was not looked at")
  func summaryLists() {
    var report = large(1_000)
    report.skipped = (0..<100_000).map {
      Skipped(artifact: "m.h5", what: "layer \($0)", why: String(repeating: "\u{0}", count: 9_000))
    }
    let text = JobSummary().render(report)
    #expect(text.utf8.count < 1 << 20 && text.contains("and 99,960 more, which the reports list"))
  }

  @Test("text has one line for each finding and one that counts")
  func textLines() {
    let text = TextReport().render(Fixture.full)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3 + 1 + 1 + 1)
    #expect(
      lines.first?.hasPrefix("gradient.h5: critical: The gradient of 'fc1/kernel' gives") == true)
    #expect(
      lines.first?.hasSuffix("[dense-input-from-gradient, proven, layer 'fc1/kernel']") == true)
    #expect(lines.last?.hasPrefix("leakaudit: exit code 1: 3 findings count: 1 critical") == true)
    let hostile = TextReport().render(Fixture.hostile("a\n::error::b\r\u{1B}[2J"))
    #expect(
      hostile.split(separator: "\n").allSatisfy { !$0.hasPrefix("::") && !$0.contains("\u{1B}") })
  }

  @Test("JUnit counts what it holds", arguments: ["full", "empty", "hostile"])
  func junit(subject: String) throws {
    let report = try #require(GoldenFileTests.reports[subject])
    let text = JUnitReport().render(report)
    let root = try #require(try XMLDocument(xmlString: text).rootElement())
    let suites = root.elements(forName: "testsuite")
    let cases = suites.flatMap { $0.elements(forName: "testcase") }
    for (attribute, name) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
      let count = cases.count { !$0.elements(forName: name).isEmpty }
      #expect(root.attribute(forName: attribute)?.stringValue == "\(count)")
    }
    #expect(root.attribute(forName: "tests")?.stringValue == "\(cases.count)")
    let names = cases.map {
      [$0.attribute(forName: "classname")?.stringValue, $0.attribute(forName: "name")?.stringValue]
    }
    #expect(Set(names).count == names.count)
  }

  @Test(
    "what fails the run fails in JUnit, the rest passes with its message, suppressed is skipped")
  func junitOutcomes() throws {
    let root = try #require(
      try XMLDocument(xmlString: JUnitReport().render(Fixture.full)).rootElement())
    let outcomes = root.elements(forName: "testsuite").flatMap { $0.elements(forName: "testcase") }
      .reduce(into: [String: String]()) { outcomes, element in
        let name = element.attribute(forName: "name")?.stringValue ?? ""
        outcomes[name] = element.children?.first?.name ?? "passed"
      }
    #expect(outcomes["input-facing-biased-dense at fc1"] == "failure")
    #expect(outcomes["all-zero-gradient at fc2"] == "system-out")
    #expect(outcomes["optimizer-state"] == "skipped" && outcomes["is readable"] == "passed")
    #expect(outcomes["not looked at: layer 'conv'"] == "skipped")
  }

  @Test(
    "every format states how many findings are suppressed, also none",
    arguments: ReportCatalog.names)
  func suppressedCount(format: String) throws {
    let renderer = try #require(ReportCatalog.format(named: format)).init()
    let full = renderer.render(Fixture.full)
    let empty = renderer.render(Fixture.empty)
    switch format {
    case "json":
      #expect(full.contains("\"origin\": \"baseline\"") && empty.contains("\"suppressed\": []"))
    default:
      #expect(
        full.contains("2 findings are suppressed") && empty.contains("No finding is suppressed"))
    }
  }

  @Test("an expired suppression is named in every format", arguments: ReportCatalog.names)
  func expired(format: String) throws {
    let renderer = try #require(ReportCatalog.format(named: format)).init()
    #expect(renderer.render(Fixture.full).contains("expired after 2026-01-31"))
  }
}
