import CPUBackend
import Checkpoints
import Foundation
import Networks
import Simulation
import TensorIR
import Tensors

/// What a framework computed for one small client.
struct ClientFixture {
  let model: BoundModel
  let truth: Truth
  /// The gradient or update, and what the file says of it.
  let expected: ParameterTable
  let facts: ExchangeFacts
  let kind: GradientRecord.Kind

  struct Malformed: Error {
    var detail: String
  }

  /// The tool beside the tests, which parses HDF5 for them.
  static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "leakaudit").path
  static let reader = CheckpointReader(sandbox: SandboxedReader(executable: executable))

  /// A file of `Tests/Fixtures/simulation`, which holds everything.
  init(_ name: String) throws {
    let file = "simulation/\(name).h5"
    try self.init(model: file, truth: file, gradient: file)
  }

  /// Model, samples and gradient from files in `Tests/Fixtures`.
  init(model: String, truth: String, gradient: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures")
    func read(_ name: String, as role: FileRole) throws -> LoadedFile {
      try Self.reader.read(folder.appending(path: name).path, as: role)
    }
    let file = try read(gradient, as: .gradient)
    guard let model = try BoundModel(read(model, as: .model)),
      let truth = try read(truth, as: .truth).contents.truth,
      let record = file.contents.gradients.first
    else { throw Malformed(detail: gradient) }
    self.model = model
    self.truth = truth
    expected = try model.bind(
      record.tensors, convention: file.contents.convention, file: file.path
    ).table
    facts = record.facts
    kind = record.kind
  }

  func client() throws -> Client {
    try Client(model.network, weights: model.weights, backend: CPUBackend(threads: 1))
  }

  func data() throws -> ClientData {
    try ClientData(inputs: truth.inputs, labels: truth.labels ?? [])
  }
}

extension ParameterTable {
  /// The Euclidean distance from another table over its own norm, of trainable parameters.
  func relativeDistance(from other: ParameterTable) -> Double {
    var (missed, total) = (0.0, 0.0)
    for key in other.keys where key.role.isTrainable {
      let expected = other[key.node, key.role]?.elements() ?? []
      let own = self[key.node, key.role]?.elements() ?? []
      guard own.count == expected.count else { return .infinity }
      for (a, b) in zip(own, expected) {
        missed += (a - b) * (a - b)
        total += b * b
      }
    }
    return (missed / total).squareRoot()
  }

  var norm: Double {
    keys.reduce(0) { sum, key in
      (self[key.node, key.role]?.elements() ?? []).reduce(sum) { $0 + $1 * $1 }
    }.squareRoot()
  }
}
