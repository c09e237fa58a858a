/// One line that the benchmark sends; `Benchmarks/README.md` lists the commands.
struct Request: Decodable, Sendable {
  var command: String
  var workload: String?
  var folder: String?
  var threads: Int?
  var precision: String?
  var totalVariation: Double?
  var learningRate: Double?
  var output: String?
  var iterations: Int?
  var count: Int?
  var size: Int?
  var network: String?
}

/// One line of answer.
struct Reply: Encodable, Sendable {
  var error: String?
  var objective: Double?
  var objectives: [Double]?
  /// One number, or one per iteration.
  var milliseconds: Durations?
  var peakMiB: Double?
  var baselineMiB: Double?
  var gflops: Double?

  enum Durations: Encodable, Sendable {
    case one(Double)
    case each([Double])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .one(let milliseconds): try container.encode(milliseconds)
      case .each(let milliseconds): try container.encode(milliseconds)
      }
    }
  }
}

/// A command that cannot be followed, and why.
package struct BenchmarkError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }

  init(missing argument: String, of command: String) {
    self.init("\(command) needs \(argument)")
  }
}
