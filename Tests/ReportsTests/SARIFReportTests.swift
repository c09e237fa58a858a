import AuditModel
import Foundation
import Reports
import Testing

/// What the schema cannot say; the schema itself is checked by `make integrations`.
@Suite("SARIF report")
struct SARIFReportTests {
  private typealias Object = [String: Any]

  private func run(_ report: AuditReport) throws -> [String: Any] {
    let text = SARIFReport().render(report)
    let log = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Object)
    #expect(log["version"] as? String == "2.1.0")
    return try #require((log["runs"] as? [Object])?.first)
  }

  private func rules(_ run: [String: Any]) throws -> [[String: Any]] {
    let driver = try #require((run["tool"] as? Object)?["driver"] as? Object)
    return try #require(driver["rules"] as? [Object])
  }

  @Test(
    "a result points at its rule, its file, line 1 and its layer", arguments: ["full", "hostile"])
  func places(subject: String) throws {
    let report = try #require(GoldenFileTests.reports[subject])
    let run = try run(report)
    let rules = try rules(run)
    let layers = try #require(run["logicalLocations"] as? [Object])
    let results = try #require(run["results"] as? [Object])
    #expect(results.count == report.findings.count + report.policy.suppressed.count)
    for result in results {
      let index = try #require(result["ruleIndex"] as? Int)
      #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
      let location = try #require((result["locations"] as? [Object])?.first)
      let physical = try #require(location["physicalLocation"] as? Object)
      #expect((physical["region"] as? Object)?["startLine"] as? Int == 1)
      let file = try #require(physical["artifactLocation"] as? Object)
      let uri = try #require(file["uri"] as? String)
      #expect(!uri.hasPrefix("/") && !uri.contains(":") && URL(string: uri) != nil)
      if let layer = (location["logicalLocations"] as? [Object])?.first {
        let index = try #require(layer["index"] as? Int)
        #expect(layers[index]["name"] as? String == layer["name"] as? String)
      }
    }
  }

  @Test("a rule carries help and the number of the worst severity found by it")
  func ruleHelp() throws {
    let rules = try rules(run(Fixture.full))
    #expect(rules.compactMap { $0["id"] as? String }.sorted() == rules.map { $0["id"] as? String })
    let rule = try #require(rules.first { $0["id"] as? String == "input-facing-biased-dense" })
    let help = try #require(rule["help"] as? Object)
    let (text, markdown) = (help["text"] as? String ?? "", help["markdown"] as? String ?? "")
    #expect(text.contains("Clip and noise") && markdown.contains("```\nx = W̄ᵀb̄ / ‖b̄‖²\n```"))
    // Braces are placeholders and brackets links unless they are escaped.
    #expect(text.contains("{{of two vectors}}") && text.contains("\\[securely\\]"))
    #expect((rule["properties"] as? Object)?["security-severity"] as? String == "8.0")
  }

  @Test(
    "the number lies in GitHub's band of the severity's name",
    arguments: [
      (Severity.critical, 9.01...10), (.high, 7.0...8.9), (.medium, 4.0...6.9), (.low, 0.1...3.9),
    ])
  func bands(severity: Severity, band: ClosedRange<Double>) throws {
    let number = try #require(Rating.securitySeverity(severity).flatMap { Double($0) })
    #expect(band.contains(number))
    #expect(Rating.securitySeverity(.info) == nil)
  }

  @Test("what is suppressed says by whom, and a baseline divides new from unchanged")
  func suppressions() throws {
    let results = try #require(run(Fixture.full)["results"] as? [Object])
    let suppressed = results.filter { !(($0["suppressions"] as? [Object])?.isEmpty ?? true) }
    #expect(suppressed.count == 2)
    let reasons = suppressed.compactMap {
      ($0["suppressions"] as? [Object])?.first?["justification"] as? String
    }
    #expect(
      reasons == [
        "It is in the baseline.", "It never leaves the client. It holds through 2027-03-31.",
      ])
    let states = results.map { $0["baselineState"] as? String }
    #expect(states == ["new", "new", "new", "unchanged", "new"])
    let plain = try #require(run(Fixture.hostile("x"))["results"] as? [Object])
    #expect(plain.allSatisfy { $0["baselineState"] == nil && $0["suppressions"] != nil })
  }

  @Test("an unreadable input is an error of the run, and the run did not succeed")
  func notifications() throws {
    var report = Fixture.full
    func invocation() throws -> Object {
      try #require((try run(report)["invocations"] as? [Object])?.first)
    }
    #expect(try invocation()["executionSuccessful"] as? Bool == true)
    report.skipped.append(Skipped(artifact: "a b.h5", what: "file", why: "it is cut off"))
    let second = try invocation()
    #expect(second["executionSuccessful"] as? Bool == false)
    let notes = try #require(second["toolExecutionNotifications"] as? [Object])
    #expect(notes.first?["level"] as? String == "error" && notes.count == 2)
    let text = SARIFReport().render(report)
    #expect(text.contains("\"uri\": \"a%20b.h5\""))
    let settings = try #require(second["toolConfigurationNotifications"] as? [Object])
    #expect(settings.count == 1 && text.contains("\"startLine\": 7"))
  }

  @Test("a file that was given twice is listed once, as the schema asks")
  func repeatedFile() throws {
    var report = Fixture.full
    report.inputs += report.inputs
    #expect((try run(report)["artifacts"] as? [Object])?.count == 2)
  }
}
