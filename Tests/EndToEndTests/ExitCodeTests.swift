import Foundation
import Testing

@Suite("Exit codes")
struct ExitCodeTests {
  /// A readable HDF5 file without a model, and a file that nobody can read.
  private let empty = Tool.hostile("layouts_mixed_empty.h5")
  private let damaged = Tool.hostile("archives_cut_half.keras")

  private func code(_ arguments: String...) throws -> Int32 { try Tool.run(arguments).code }

  @Test("0: everything was audited and nothing reaches --fail-on")
  func clean() throws {
    #expect(try Tool.run(Example.clean).code == 0)
  }

  @Test("1: a finding reaches --fail-on")
  func finding() throws {
    for example in [Example.gradient, Example.update, Example.optimizer] {
      #expect(try Tool.run(example).code == 1)
    }
  }

  @Test("2: an input is unreadable, missing or only partly audited")
  func incomplete() throws {
    #expect(try code("audit", damaged) == 2)
    #expect(try code("audit", "no/such/file.h5") == 2)
    #expect(try Tool.run(Example.control).code == 2)
    #expect(try code("audit", "Models/mlp.h5", "--gradient", damaged, "--fail-on", "none") == 2)
  }

  @Test("3: nothing auditable was found")
  func nothing() throws {
    #expect(try code("audit", empty) == 3)
    let ofFolder = try Tool.withDirectory { folder in try code("audit", folder.path) }
    #expect(ofFolder == 3)
  }

  @Test("4: the usage is wrong")
  func usage() throws {
    for arguments in [
      ["audit"], ["audit", "Models/mlp.h5", "--no-such-option"], ["no-such-command"],
      ["audit", "--before", "Models/update_before.h5"],
      ["audit", "--after", "Models/update_after.h5"],
      Example.update + ["--gradient", "Models/mlp_gradient.h5"],
      Example.gradient + ["Models/adam_one_step.h5"],
      Example.gradient + ["--batch-size", "0"], Example.gradient + ["--batch-size", "one"],
      Example.gradient + ["--noise", "-1"], Example.gradient + ["--noise", "nan"],
      Example.gradient + ["--noise", "loud"], ["audit", "Models/mlp.h5", "--noise", "1"],
      Example.gradient + ["--input-range", "1"], Example.gradient + ["--input-range", "1,0"],
      Example.gradient + ["--input-range", "0,inf"], Example.gradient + ["--input-range", "0,,1"],
      Example.gradient + ["--time-limit", "0"], Example.gradient + ["--time-limit", "-1"],
      Example.gradient + ["--fail-on", "serious"], Example.gradient + ["--max-memory", "-1"],
      Example.gradient + ["--max-memory", "3 parsecs"], Example.gradient + ["--color", "green"],
      Example.gradient + ["--format", "pdf"], Example.gradient + ["--format", "md="],
      ["explain", "no-such-rule"], ["schema", "universe"], ["inspect"],
    ] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 4, "\(arguments)")
      #expect(outcome.output.isEmpty, "\(arguments)")
      #expect(!outcome.error.isEmpty, "\(arguments)")
    }
  }

  @Test("4: two formats would share standard output")
  func twoFormats() throws {
    let outcome = try Tool.run(Example.gradient + ["--format", "md", "--format", "json"])
    #expect(outcome.code == 4 && outcome.output.isEmpty)
    #expect(outcome.errorText.contains("standard output"))
  }

  @Test("4 before 1: a report that cannot be written outweighs a finding")
  func unwritable() throws {
    for path in ["/no/such/folder/report.md", "/"] {
      let outcome = try Tool.run(Example.gradient + ["--format", "md=\(path)"])
      #expect(outcome.code == 4 && outcome.output.isEmpty)
      #expect(outcome.errorText.contains(path))
    }
  }

  @Test("4: a device without space takes no report")
  func full() throws {
    let outcome = try Tool.run(Example.gradient + ["--format", "md=/dev/full"])
    #expect(outcome.code == 4)
    #expect(outcome.errorText.contains("only partly written"))
  }

  @Test("1 before 2: a finding outweighs an unreadable file beside it")
  func findingBeforeIncomplete() throws {
    #expect(try code("audit", "Models/adam_one_step.h5", damaged) == 1)
    #expect(try code("audit", "Models/adam_one_step.h5", damaged, "--fail-on", "none") == 2)
  }

  @Test("2 before 3: an unreadable file outweighs an empty one")
  func incompleteBeforeNothing() throws {
    #expect(try code("audit", empty, damaged) == 2)
  }

  @Test("0 before 3: an empty file beside a sound one changes nothing")
  func cleanBesideEmpty() throws {
    #expect(try code("audit", "Models/mlp.h5", empty, "--fail-on", "critical") == 0)
  }

  @Test(
    "--fail-on is the least severity that counts",
    arguments: [("none", 0), ("low", 1), ("medium", 1), ("high", 1), ("critical", 0)])
  func failOn(level: String, expected: Int32) throws {
    // A biased dense layer on the input is a structural finding of severity high, and no more.
    #expect(try code("audit", "Models/mlp.h5", "--fail-on", level) == expected)
  }

  @Test("a proven recovery is critical", arguments: [("none", 0), ("critical", 1)])
  func proven(level: String, expected: Int32) throws {
    #expect(try Tool.run(Example.gradient + ["--fail-on", level]).code == expected)
  }

  @Test("the code of the report is the code of the process")
  func report() throws {
    for arguments in [Example.gradient, Example.control, Example.clean, ["audit", empty]] {
      let outcome = try Tool.run(arguments + ["--format", "json"])
      #expect(try JSONReport(outcome.output).exitCode == Int(outcome.code))
    }
  }
}
