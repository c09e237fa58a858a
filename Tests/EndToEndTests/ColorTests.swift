import Foundation
import Testing

@Suite("Colours")
struct ColorTests {
  private let escape = "\u{1B}["

  @Test("a pipe gets no colours unless they are asked for")
  func pipe() throws {
    #expect(try !Tool.run(Example.clean).errorText.contains(escape))
    #expect(try !Tool.run(Example.clean + ["--color", "never"]).errorText.contains(escape))
    let always = try Tool.run(Example.clean + ["--color", "always"])
    #expect(always.errorText.contains(escape) && !always.text.contains(escape))
  }

  @Test("an explicit wish outweighs NO_COLOR")
  func explicit() throws {
    let outcome = try Tool.run(
      Example.clean + ["--color", "always"], environment: ["NO_COLOR": "1"])
    #expect(outcome.errorText.contains(escape))
  }

  @Test(
    "a terminal gets colours unless NO_COLOR is set to something",
    arguments: [(nil, true), ("", true), ("1", false)] as [(String?, Bool)])
  func terminal(noColor: String?, isColored: Bool) throws {
    let environment = noColor.map { ["NO_COLOR": $0] } ?? [:]
    let text = try onTerminal(Example.clean, environment: environment)
    #expect(text.contains("\(escape)32mleakaudit verdict:") == isColored)
    #expect(text.contains("leakaudit verdict:"))
  }

  /// What the tool writes if its outputs are a terminal, which `script` of util-linux provides.
  private func onTerminal(
    _ arguments: [String], environment: [String: String]
  ) throws -> String {
    let command = ([Tool.executable.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    return try Tool.run(
      URL(filePath: "/usr/bin/script"), ["-qec", command, "/dev/null"], in: Tool.root,
      environment: environment, within: 60
    ).text
  }
}
