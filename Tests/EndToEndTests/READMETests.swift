import Foundation
import Testing

/// Every command in README.md runs as it stands.
///
/// A comment `exit code N` behind a command states how it ends; without one it ends with 0. Blocks
/// behind `<!-- run by CI -->` install or build, and `.ci/run` runs those.
@Suite("README")
struct READMETests {
  struct Command: Sendable, CustomTestStringConvertible {
    var text: String
    var code: Int32

    var testDescription: String { text }
  }

  static let text: String = {
    let file = Tool.root.appending(path: "README.md")
    // An empty text fails the test below.
    return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }()

  static let commands: [Command] = {
    var commands: [Command] = []
    var (isInside, isRunByCI, last) = (false, false, "")
    for line in text.split(separator: "\n").map(String.init) {
      if line.hasPrefix("```") {
        isRunByCI = !isInside && last.contains("<!-- run by CI -->")
        isInside = line == "```sh"
      } else if isInside, !isRunByCI {
        let parts = line.split(separator: "  # ", maxSplits: 1)
        let code = parts.dropFirst().first?.firstMatch(of: /exit code (\d)/)?.1
        commands.append(Command(text: String(parts[0]), code: code.flatMap { Int32($0) } ?? 0))
      }
      last = line
    }
    return commands
  }()

  @Test("a command of the README ends as the README says", arguments: commands)
  func command(command: Command) throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let path = Tool.executable.deletingLastPathComponent().path
      let outcome = try Tool.run(
        URL(filePath: "/bin/sh"), ["-c", command.text], in: folder,
        environment: ["PATH": "\(path):/usr/bin:/bin"], within: 60)
      #expect(outcome.code == command.code, "\(outcome.errorText)")
    }
  }

  @Test("the README shows every command and every option that matters in a build")
  func coverage() {
    let all = Self.commands.map(\.text).joined(separator: "\n")
    for word in [
      "--gradient", "--before", "--after", "--format json=", "--save-recovered", "--fail-on",
      "--noise", "--input-range", "--time-limit", "--probe", "simulate", "inspect", "explain",
      "schema", "leakaudit baseline", "--baseline", "--sensitivity", "sarif=", "junit=",
    ] { #expect(all.contains(word), "\(word)") }
  }

  @Test("the quoted report is an excerpt of the committed one")
  func excerpt() throws {
    let report = try String(
      contentsOf: Tool.root.appending(path: "Reports/mlp_gradient.md"), encoding: .utf8)
    let quoted = Self.text.split(separator: "\n").filter { $0.hasPrefix("> ") }
      .map { $0.dropFirst(2) }
    #expect(quoted.count > 3)
    for line in quoted { #expect(report.contains(line), "\(line)") }
  }

  @Test("links inside the repository lead somewhere")
  func links() throws {
    let pages =
      ["README.md", "CONTRIBUTING.md", "Models/README.md", "Reports/README.md"]
      + (try Tool.contents(of: Tool.root.appending(path: "Documentation")))
      .filter { $0.hasSuffix(".md") }.map { "Documentation/\($0)" }
    for page in pages {
      let file = Tool.root.appending(path: page)
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /\]\(([^)#\s]+)(#[^)]*)?\)/) where !match.1.contains(":") {
        let target = file.deletingLastPathComponent().appending(path: String(match.1))
        #expect(FileManager.default.fileExists(atPath: target.path), "\(page): \(match.1)")
      }
    }
  }
}
