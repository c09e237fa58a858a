import Benchmarking
import Foundation
import TensorIR
import Testing

/// The session beside what PyTorch's driver answered; `Tests/Fixtures/workloads/make_start.py`.
@Suite("Benchmark session", .serialized)
struct SessionTests {
  struct Answer: Decodable {
    var error: String?
    var objective: Double?
    var objectives: [Double]?
    var peakMiB: Double?
    var baselineMiB: Double?
    var gflops: Double?
  }

  struct Durations: Decodable {
    var milliseconds: [Double]
  }

  struct Duration: Decodable {
    var milliseconds: Double
  }

  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  static let folder = root.appending(path: "Tests/Fixtures/workloads")

  let session = Session(
    reader: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "leakaudit").path
  ) { _ in InterpreterBackend() }

  func ask<Reply: Decodable>(_ line: String, as: Reply.Type = Answer.self) throws -> Reply {
    try JSONDecoder().decode(Reply.self, from: Data(session.answer(line).utf8))
  }

  func load() throws {
    let line = """
      {"command": "load", "workload": "lenet-zhu", "folder": "\(Self.folder.path)", \
      "threads": 1, "precision": "double", "totalVariation": 1e-4, "learningRate": 1e-3}
      """
    #expect(try ask(line).error == nil)
  }

  @Test("objective, slope and curve are those of PyTorch")
  func agreement() throws {
    struct Expected: Decodable { var objectives: [Double] }
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: Self.folder.appending(path: "expected.json")))
    let slope = try doubles(Self.folder.appending(path: "slope.f64"))
    try load()
    let output = FileManager.default.temporaryDirectory.appending(path: "slope-\(UUID())")
    defer { try? FileManager.default.removeItem(at: output) }
    let start = try ask(#"{"command": "objective", "output": "\#(output.path)"}"#)
    let found = try doubles(output)
    #expect(found.count == 3072 && slope.count == 3072)
    let error = zip(found, slope).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let size = slope.reduce(0) { $0 + $1 * $1 }
    // The bound that the benchmark holds both sides to in double precision.
    #expect((error / size).squareRoot() <= 1e-8)
    #expect(abs((start.objective ?? 0) - expected.objectives[0]) <= 1e-8 * expected.objectives[0])
    let curve = try ask(#"{"command": "iterate", "iterations": 4}"#)
    for (ours, theirs) in zip(try #require(curve.objectives), expected.objectives) {
      #expect(abs(ours - theirs) <= 1e-8 * theirs)
    }
    let times = try ask(
      #"{"command": "iterate", "iterations": 2}"#, as: Durations.self)
    #expect(times.milliseconds.count == 2 && times.milliseconds.allSatisfy { $0 > 0 })
  }

  @Test("restarts side by side, memory and the matrix rate are measured")
  func measures() throws {
    try load()
    let time = try ask(#"{"command": "restarts", "count": 2, "iterations": 1}"#, as: Duration.self)
    #expect(time.milliseconds > 0)
    let memory = try ask(#"{"command": "memory"}"#)
    #expect(try #require(memory.peakMiB) >= #require(memory.baselineMiB))
    #expect(try #require(memory.baselineMiB) > 1)
    let rate = try ask(#"{"command": "matmul-rate", "size": 8, "threads": 1}"#)
    #expect(try #require(rate.gflops) > 0)
  }

  @Test("planning compiles the network for large images")
  func plan() throws {
    let time = try ask(
      #"{"command": "plan", "network": "resnet18", "threads": 1}"#, as: Duration.self)
    #expect(time.milliseconds > 0)
  }

  @Test(
    "a command that cannot be followed is answered with the reason",
    arguments: [
      ("none", "no command: none"), (#"{"command": "dance"}"#, "no such command: dance"),
      (#"{"command": "iterate", "iterations": 1}"#, "nothing is loaded; send load first"),
      (#"{"command": "matmul-rate", "size": 8}"#, "matmul-rate needs threads"),
      (
        #"{"command": "plan", "network": "vgg", "threads": 1}"#,
        "no network to plan is called 'vgg'"
      ),
      (
        #"{"command": "load", "workload": "x", "folder": ".", "threads": 1, "precision": "half"}"#,
        "a precision is float or double"
      ),
      (
        #"{"command": "load", "workload": "mlp", "folder": ".", "threads": 1, "precision": "float"}"#,
        "load needs totalVariation"
      ),
    ])
  func refusals(line: String, reason: String) throws {
    #expect(try ask(line).error == reason)
  }

  private func doubles(_ file: URL) throws -> [Double] {
    let data = try Data(contentsOf: file)
    return stride(from: 0, to: data.count - 7, by: 8).map { start in
      Double(
        bitPattern: data[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }
}
