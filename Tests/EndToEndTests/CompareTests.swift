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

  @Test("an audit of weights that are not numbers says that it did not look at them")
  func notNumbersAlone() throws {
    let audit = { (model: String, options: [String]) in
      try Tool.run(
        ["audit", "\(Self.folder)/\(model)", "--format", "json", "--quiet"] + options)
    }
    let report = try JSONReport(audit("spoiled.h5", []).output)
    let skipped = try #require(report.skipped.first { $0.what == "bias of 'fc1'" })
    #expect(skipped.why.contains("24 of its 24 values are NaN or infinite"))
    // A dense layer in front is a finding; where none fails the run, what was not seen does.
    #expect(try audit("spoiled.h5", []).code == 1)
    #expect(try audit("spoiled.h5", ["--fail-on", "none"]).code == 2)
    let clean = try audit("step.h5", ["--fail-on", "none"])
    #expect(clean.code == 0)
    #expect(try JSONReport(clean.output).skipped.isEmpty)
  }

  @Test("a gradient shows which exchanged class was in the batch, and that its rows stand out")
  func flippedLabels() throws {
    let swapped = [
      "audit", "\(Self.folder)/swapped.h5", "--reference", "\(Self.folder)/reference.h5",
    ]
    let gradient = ["--gradient", "\(Self.folder)/gradient.h5", "--batch-size", "4"]
    let audit = { (options: [String]) -> JSONReport.Finding in
      let outcome = try Tool.run(swapped + options + ["--format", "json", "--quiet"])
      #expect(outcome.code == 1, "\(outcome.errorText)")
      let findings = try JSONReport(outcome.output).findings
      return try #require(findings.first { $0.id == "permuted-classifier-rows" })
    }
    let joined = try audit(gradient)
    #expect(joined.message.contains("Class 17 was certainly in the batch."), "\(joined.message)")
    let name = "moved rows' share of the classifier's squared gradient"
    let share = try #require(joined.measurements.first { $0.name == name })
    // One sample of four is taken for another class; the others are recognised.
    #expect(try #require(Double(share.value)) > 0.9)
    let alone = try audit([])
    #expect(joined.message.hasPrefix(alone.message) && joined.message != alone.message)
    #expect(!alone.measurements.contains { $0.name == name })
  }

  @Test(
    "a reference that agrees is no finding, and one that cannot be compared is never passed over")
  func references() throws {
    let audit = { (model: String, reference: String, options: [String]) in
      try Tool.run(
        [
          "audit", "\(Self.folder)/\(model)", "--reference", "\(Self.folder)/\(reference)",
          "--format", "json", "--quiet",
        ] + options)
    }
    let honest = try audit("step.h5", "reference.h5", ["--fail-on", "none"])
    #expect(honest.code == 0)
    let report = try JSONReport(honest.output)
    let differences = ["permuted-classifier-rows", "replaced-weights", "changed-architecture"]
    #expect(!report.findings.contains { differences.contains($0.id) })
    #expect(report.inputs.map(\.role) == ["model", "reference"])
    #expect(report.command.contains("--reference"))
    for reference in ["spoiled.h5", "no-such-file.h5"] {
      #expect(try audit("step.h5", reference, ["--fail-on", "none"]).code == 2)
    }
    let path = "\(Self.folder)/reference.h5"
    #expect(try Tool.run(["audit", "--reference", path]).code == 4)
    #expect(
      try Tool.run(["audit", "--reference", path, "--before", path, "--after", path]).code == 4)
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
