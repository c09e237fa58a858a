import Foundation
import Testing

/// Settings and suppressions, as a build uses them.
@Suite("Settings")
struct PolicyTests {
  /// Calls `body` with a folder that holds the examples and `.leakaudit.yml`.
  private func withSettings(
    _ settings: String, _ body: (URL) throws -> Void
  ) throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      try Data(settings.utf8).write(to: folder.appending(path: ".leakaudit.yml"))
      try body(folder)
    }
  }

  private static let suppressed = """
    suppressions:
      - rule: input-facing-biased-dense
        path: Models/*.h5
        layer: hidden
        reason: Gradients leave only in secure aggregates.
        expires: 2027-03-31

    """

  @Test("a suppressed finding does not fail the build, and is counted")
  func suppression() throws {
    try withSettings(Self.suppressed) { folder in
      let outcome = try Tool.run(
        ["audit", "Models/mlp.h5", "--today", "2027-03-31", "--format", "text"], in: folder)
      #expect(outcome.code == 0 && !outcome.text.contains("[input-facing-biased-dense"))
      #expect(outcome.text.contains("1 finding is suppressed: 1 by the configuration."))
      #expect(outcome.errorText.contains("1 finding is suppressed and not counted."))
    }
  }

  @Test("an expired suppression fires again, and every channel says so")
  func expired() throws {
    try withSettings(Self.suppressed) { folder in
      let arguments = ["audit", "Models/mlp.h5", "--today", "2027-04-01"]
      let outcome = try Tool.run(arguments + ["--format", "text"], in: folder)
      #expect(outcome.code == 1 && outcome.text.contains("[input-facing-biased-dense"))
      #expect(outcome.errorText.contains(".leakaudit.yml:2: the suppression of"))
      for format in ["github", "json", "junit", "md", "sarif", "summary", "svg", "text"] {
        let text = try Tool.run(arguments + ["--format", format], in: folder).text
        #expect(text.contains("expired after 2027-03-31"), "\(format)")
      }
    }
  }

  @Test("without --today the clock decides")
  func clock() throws {
    let past = Self.suppressed.replacing("2027-03-31", with: "2001-01-01")
    let future = Self.suppressed.replacing("2027-03-31", with: "9999-12-31")
    for (settings, code) in [(past, Int32(1)), (future, 0)] {
      try withSettings(settings) { folder in
        try #expect(Tool.run(["audit", "Models/mlp.h5"], in: folder).code == code)
      }
    }
  }

  @Test(
    "every format ends with the same exit code",
    arguments: ["github", "json", "junit", "md", "sarif", "summary", "svg", "text"])
  func exitCodes(format: String) throws {
    let damaged = Tool.hostile("archives_cut_half.keras")
    for (arguments, code) in [
      (Example.clean, Int32(0)), (Example.gradient, 1), (["audit", damaged], 2),
      (["audit", Tool.hostile("layouts_mixed_empty.h5")], 3),
    ] {
      try #expect(Tool.run(arguments + ["--format", format]).code == code, "\(arguments)")
    }
  }

  @Test("settings give defaults, and the command line has the last word")
  func defaults() throws {
    try withSettings("fail-on: critical\nsensitivity: special\n") { folder in
      let structural = ["audit", "Models/mlp.h5"]
      // For special categories a structural finding is critical.
      try #expect(Tool.run(structural, in: folder).code == 1)
      let personal = structural + ["--sensitivity", "personal"]
      try #expect(Tool.run(personal, in: folder).code == 0)
      try #expect(Tool.run(personal + ["--fail-on", "high"], in: folder).code == 1)
    }
    try withSettings("sensitivity: public\n") { folder in
      let outcome = try Tool.run(["audit", "Models/mlp.h5", "--format", "json"], in: folder)
      #expect(outcome.code == 0 && outcome.text.contains("\"sensitivity\": \"public\""))
      #expect(outcome.text.contains("\"--sensitivity\""))
    }
  }

  @Test("a rule that is off is silent, and listed as not looked at")
  func disabled() throws {
    try withSettings("rules:\n  input-facing-biased-dense: off\n") { folder in
      let outcome = try Tool.run(["audit", "Models/mlp.h5", "--format", "text"], in: folder)
      #expect(outcome.code == 0 && !outcome.text.contains("[input-facing-biased-dense"))
      #expect(
        outcome.text.contains(
          ".leakaudit.yml: not looked at: rule input-facing-biased-dense: it is turned off"))
    }
  }

  @Test("--config replaces the file of the working directory")
  func otherFile() throws {
    try withSettings("fail-on: nonsense\n") { folder in
      let other = folder.appending(path: "other.yml")
      try Data("fail-on: critical\n".utf8).write(to: other)
      let outcome = try Tool.run(
        ["audit", "Models/mlp.h5", "--config", "other.yml", "--format", "json"], in: folder)
      #expect(outcome.code == 0)
      let report = try JSONReport(outcome.output)
      #expect(
        report.inputs.last?.role == "configuration" && report.inputs.last?.path == "other.yml")
      #expect(report.command.suffix(4) == ["--fail-on", "critical", "--config", "other.yml"])
    }
  }

  @Test(
    "4: settings that cannot be used, with line and nearest name",
    arguments: [
      ("fail-one: high\n", ".leakaudit.yml:1: 'fail-one' is no key here", "'fail-on'?"),
      ("\nrules:\n  classifier-bais: off\n", ".leakaudit.yml:3:", "'classifier-bias'?"),
      ("suppressions:\n  - rule: dense-chian\n", ".leakaudit.yml:2:", "'dense-chain'?"),
      ("a: [", ".leakaudit.yml:", "YAML"),
    ])
  func unusable(settings: String, place: String, part: String) throws {
    try withSettings(settings) { folder in
      let outcome = try Tool.run(["audit", "Models/mlp.h5"], in: folder)
      #expect(outcome.code == 4 && outcome.output.isEmpty)
      #expect(outcome.errorText.contains(place) && outcome.errorText.contains(part))
    }
  }

  @Test("4: files of settings or of a baseline that are not there, and wrong words")
  func missing() throws {
    for arguments in [
      ["--config", "no/such.yml"], ["--baseline", "no/such.json"], ["--baseline", "README.md"],
      ["--config", "Models/mlp.h5"], ["--sensitivity", "secret"], ["--today", "2026-02-29"],
    ] {
      let outcome = try Tool.run(["audit", "Models/mlp.h5"] + arguments)
      #expect(outcome.code == 4 && outcome.output.isEmpty && !outcome.error.isEmpty, "\(arguments)")
    }
    try #expect(Tool.run(["baseline", "Models/mlp.h5", "-o", "/no/such/b.json"]).code == 4)
  }

  @Test("a comparison follows the same settings, and a replaced layer can be accepted")
  func comparison() throws {
    let settings = """
      suppressions:
        - {rule: replaced-weights, layer: fc1, path: "**", reason: tuned, expires: 2027-03-31}

      """
    try withSettings(settings) { folder in
      try Tool.copy("Tests/Fixtures/comparison", to: folder)
      let arguments = ["compare", "comparison/reference.h5", "comparison/replaced.h5"]
      for (today, code) in [("2027-03-31", Int32(0)), ("2027-04-01", 1)] {
        let outcome = try Tool.run(arguments + ["--today", today, "--format", "sarif"], in: folder)
        #expect(outcome.code == code && outcome.text.contains("\"replaced-weights\""))
        #expect(outcome.text.contains("It holds through 2027-03-31.") == (code == 0))
      }
    }
  }
}
