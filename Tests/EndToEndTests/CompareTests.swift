import Foundation
import Testing

@Suite("Comparisons")
struct CompareTests {
  private static let folder = "Tests/Fixtures/comparison"

  private func compare(
    _ model: String, _ options: [String] = []
  ) throws -> (outcome: Tool.Outcome, report: JSONReport) {
    let outcome = try Tool.run(
      ["compare", "\(Self.folder)/reference.h5", "\(Self.folder)/\(model)", "--format", "json"]
        + options)
    return (outcome, try JSONReport(outcome.output))
  }

  @Test("an honest step is no difference, and neither is the file itself")
  func honest() throws {
    for (model, words) in [
      ("step.h5", "as training makes"), ("reference.h5", "has the weights of"),
    ] {
      let (outcome, report) = try compare(model)
      #expect(outcome.code == 0 && report.findings.isEmpty && report.exitCode == 0)
      #expect(report.verdict.contains(words))
      #expect(report.inputs.map(\.role) == ["reference", "model"])
    }
  }

  @Test(
    "what was changed is found and named",
    arguments: [
      ("swapped.h5", "permuted-classifier-rows", "classes 17 and 62."),
      ("replaced.h5", "replaced-weights", "The weight of 'fc1' is not that of"),
      ("inserted.h5", "changed-architecture", "'bins' dense"),
    ])
  func changed(model: String, rule: String, words: String) throws {
    let (outcome, report) = try compare(model)
    #expect(outcome.code == 1)
    #expect(report.findings.map(\.id).contains(rule))
    let text = try Tool.run(
      ["compare", "\(Self.folder)/reference.h5", "\(Self.folder)/\(model)"]
    ).text
    #expect(text.contains(words))
    #expect(try compare(model, ["--fail-on", "none"]).outcome.code == 0)
  }

  @Test("weights that are not numbers are never said to agree, whichever file has them")
  func notNumbers() throws {
    let (outcome, report) = try compare("spoiled.h5")
    #expect(outcome.code == 2 && report.verdict.contains("1 of 4 parameters hold NaN"))
    let files = ["spoiled.h5", "reference.h5"].map { "\(Self.folder)/\($0)" }
    for pair in [files, [files[0], files[0]]] {
      let other = try Tool.run(["compare"] + pair + ["--format", "json"])
      #expect(other.code == 2)
      #expect(try JSONReport(other.output).verdict.contains("cannot be compared"))
    }
  }

  @Test("the report does not depend on the number of jobs")
  func jobs() throws {
    let one = try compare("swapped.h5", ["-j", "1"]).outcome.output
    #expect(try compare("swapped.h5", ["-j", "7"]).outcome.output == one)
    let audit = ["audit", "\(Self.folder)/inserted.h5", "--format", "json", "--quiet"]
    let alone = try Tool.run(audit + ["-j", "1"]).output
    let several = try Tool.run(audit + ["--jobs", "5"]).output
    #expect(!alone.isEmpty && several == alone)
  }

  @Test("a file that cannot be read is an incomplete comparison, and a wrong option is usage")
  func errors() throws {
    let missing = try Tool.run(["compare", "\(Self.folder)/reference.h5", "no-such-file.h5"])
    #expect(missing.code == 2 && missing.text.contains("could not be compared"))
    #expect(missing.errorText.contains("no-such-file.h5"))
    #expect(try Tool.run(["compare", "\(Self.folder)/reference.h5"]).code == 4)
    #expect(try compareCode(["-j", "0"]) == 4)
    #expect(try compareCode(["--format", "nonsense"]) == 4)
  }

  @Test("an audit of the inserted module names the ladder of biases")
  func ladder() throws {
    let outcome = try Tool.run(
      ["audit", "\(Self.folder)/inserted.h5", "--format", "json", "--quiet"])
    #expect(outcome.code == 1)
    #expect(try JSONReport(outcome.output).findings.contains { $0.id == "imprint-rows" })
  }

  @Test("inspect --rules lists what every rule compares")
  func statistics() throws {
    let outcome = try Tool.run(["inspect", "--rules", "\(Self.folder)/inserted.h5"])
    #expect(outcome.code == 0)
    #expect(outcome.text.contains("imprint-rows\trows\t8.0\tbins\t64.0\n"))
    #expect(outcome.text.contains("imprint-rows\tfound\t\tbins\t\n"))
  }

  private func compareCode(_ options: [String]) throws -> Int32 {
    try Tool.run(
      ["compare", "\(Self.folder)/reference.h5", "\(Self.folder)/step.h5"] + options
    ).code
  }
}
