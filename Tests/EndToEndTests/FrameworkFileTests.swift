import Foundation
import Testing

/// Files by Keras, tf_keras, PyTorch, Flax and Flower, with what an audit of each must say.
@Suite("Files by real frameworks")
struct FrameworkFileTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Expectation: Decodable, Sendable {
      var proven: Bool
      var samples: Int
      var labels: [Int]?
      var exit: Int32
      var maxMeanSquaredError: Double?
    }

    var name: String
    var arguments: [String]
    var truth: String?
    var expect: Expectation

    var testDescription: String { name }
  }

  static let folder = Tool.root.appending(path: "Tests/Fixtures/frameworks")

  static func cases() throws -> [Case] {
    try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: folder.appending(path: "index.json")))
  }

  @Test("an audit says what is true of the file", arguments: try cases())
  func audit(subject: Case) throws {
    let truth = subject.truth.map { ["--truth", $0] } ?? []
    let outcome = try Tool.run(
      ["audit"] + subject.arguments + truth + ["--format", "json"], in: Self.folder)
    #expect(outcome.code == subject.expect.exit)
    let report = try JSONReport(outcome.output)
    let inputs = report.recoveries.filter { $0.isModelInput && $0.proven }
    #expect(inputs.isEmpty != subject.expect.proven)
    #expect(inputs.reduce(0) { $0 + $1.samples } == subject.expect.samples)
    if let labels = subject.expect.labels {
      #expect(report.labels?.present == Set(labels).sorted())
    }
    if let bound = subject.expect.maxMeanSquaredError {
      let errors = inputs.compactMap(\.quality).flatMap(\.meanSquaredError)
      #expect(!errors.isEmpty && errors.allSatisfy { $0 <= bound })
    }
  }
}
