import Foundation
import Testing

/// The committed reports of the examples: documentation and golden files at once.
///
/// `LEAKAUDIT_RECORD=1` writes them anew, and that run fails, so a recording is never green.
@Suite("Committed reports")
struct ExampleReportTests {
  static let examples: [String: [String]] = [
    "mlp_gradient": Example.gradient + ["--truth", "Models/mlp_truth.h5"],
    "mlp": ["audit", "Models/mlp.h5"],
    "update": Example.update,
    "adam_one_step": Example.optimizer,
    "cnn_without_dense": Example.control,
  ]

  @Test(
    "a report equals the committed one byte for byte",
    arguments: examples.keys.sorted(), ["md", "json"])
  func report(name: String, format: String) throws {
    let arguments = try #require(Self.examples[name]) + ["--format", format]
    let report = try Tool.run(arguments).output
    let file = Tool.root.appending(path: "Reports/\(name).\(format)")
    guard ProcessInfo.processInfo.environment["LEAKAUDIT_RECORD"] == nil else {
      try report.write(to: file)
      Issue.record("recorded \(file.lastPathComponent); read it, then run without LEAKAUDIT_RECORD")
      return
    }
    let isEqual = try report == Data(contentsOf: file)
    #expect(isEqual, "\(file.lastPathComponent) differs; LEAKAUDIT_RECORD=1 records it for review")
  }

  @Test("the folder holds these reports and no other")
  func folder() throws {
    let expected = Self.examples.keys.flatMap { ["\($0).json", "\($0).md"] } + ["README.md"]
    #expect(try Tool.contents(of: Tool.root.appending(path: "Reports")) == expected.sorted())
  }

  @Test("Models/README.md states the digest of every example")
  func digests() throws {
    let models = Tool.root.appending(path: "Models")
    let text = try String(
      decoding: Data(contentsOf: models.appending(path: "README.md")), as: UTF8.self)
    let files = try Tool.contents(of: models).filter { $0.hasSuffix(".h5") }
    let report = try JSONReport(
      Tool.run(["audit"] + files.map { "Models/\($0)" } + ["--format", "json"]).output)
    #expect(report.inputs.count == files.count)
    for input in report.inputs {
      let name = input.path.dropFirst("Models/".count)
      let digest = try #require(input.sha256)
      #expect(text.contains("| `\(name)` |") && text.contains(digest), "\(name)")
    }
  }
}
