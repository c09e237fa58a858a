import Foundation
import Testing

@Suite("Commands beside audit")
struct CommandTests {
  @Test(
    "help ends with 0 and goes to standard output",
    arguments: [
      ["--help"], ["-h"], ["help"], ["help", "audit"], ["audit", "--help"], ["inspect", "--help"],
      ["explain", "--help"], ["schema", "--help"], ["baseline", "--help"], ["simulate", "--help"],
    ])
  func help(arguments: [String]) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 0 && outcome.error.isEmpty)
    #expect(outcome.text.contains("USAGE: leakaudit"))
  }

  @Test("the help lists every exit code")
  func exitCodes() throws {
    let text = try Tool.run(["--help"]).text
    for code in 0...4 { #expect(text.contains("  \(code)  ")) }
  }

  @Test("the version is one line")
  func version() throws {
    let outcome = try Tool.run(["--version"])
    #expect(outcome.code == 0)
    #expect(outcome.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test("completion scripts know the commands", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let outcome = try Tool.run(["--generate-completion-script", shell])
    #expect(outcome.code == 0)
    #expect(outcome.text.contains("save-recovered") && outcome.text.contains("explain"))
  }

  @Test("explain lists identifiers, and explains each of them")
  func explain() throws {
    let identifiers = try identifiers()
    #expect(identifiers.count > 15 && identifiers == identifiers.sorted())
    for identifier in identifiers {
      let outcome = try Tool.run(["explain", identifier])
      #expect(outcome.code == 0)
      #expect(outcome.text.hasPrefix("\(identifier)\n"))
      #expect(outcome.text.contains("    - rule: \(identifier)\n"))
    }
  }

  @Test("every identifier that can be explained is documented")
  func documented() throws {
    let pages = try ["Attacks.md", "Rules.md"].map { name in
      try String(
        decoding: Data(contentsOf: Tool.root.appending(path: "Documentation/\(name)")),
        as: UTF8.self)
    }.joined()
    for identifier in try identifiers() {
      #expect(pages.contains("`\(identifier)`"), "\(identifier)")
    }
  }

  @Test(
    "a misspelt identifier gets the nearest one",
    arguments: [
      ("dense-input-inversoin", "dense-input-inversion"), ("optimiser-state", "optimizer-state"),
      ("file-points-outsid", "file-points-outside"),
    ])
  func nearest(misspelt: String, meant: String) throws {
    let outcome = try Tool.run(["explain", misspelt])
    #expect(outcome.code == 4)
    #expect(outcome.errorText.contains("Did you mean '\(meant)'?"))
  }

  @Test("schema prints the layout, and a JSON schema of the report")
  func schema() throws {
    let layout = try Tool.run(["schema"])
    #expect(layout.code == 0 && layout.text.contains("leakaudit_layout"))
    #expect(try Tool.run(["schema", "layout"]).output == layout.output)
    let report = try Tool.run(["schema", "report"])
    let object = try JSONSerialization.jsonObject(with: report.output) as? [String: Any]
    #expect(object?["$schema"] != nil)
  }

  @Test("inspect shows layers, optimiser state and gradients")
  func inspect() throws {
    let state = try Tool.run(["inspect", "Models/adam_one_step.h5"])
    #expect(state.code == 0 && state.error.isEmpty)
    #expect(state.text.contains("hidden: dense") && state.text.contains("1 steps"))
    let gradient = try Tool.run(["inspect", "Models/mlp_gradient.h5"])
    #expect(gradient.code == 0 && gradient.text.contains("batch size 1"))
  }

  @Test("inspect ends with 2 for what it cannot read and with 3 for what holds nothing")
  func inspectFailures() throws {
    #expect(try Tool.run(["inspect", "no/such/file.h5"]).code == 2)
    #expect(try Tool.run(["inspect", "README.md"]).code == 2)
    #expect(try Tool.run(["inspect", Tool.hostile("archives_cut_half.keras")]).code == 2)
    #expect(try Tool.run(["inspect", Tool.hostile("layouts_mixed_empty.h5")]).code == 3)
  }

  private func identifiers() throws -> [String] {
    try Tool.run(["explain"]).text.split(separator: "\n").map(String.init)
  }
}
