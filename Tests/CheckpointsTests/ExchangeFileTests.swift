import Checkpoints
import Foundation
import Networks
import Tensors
import Testing

@Suite("Written gradients and updates")
struct ExchangeFileTests {
  private let network = Network(
    "nested", input: [3],
    ["block/fc": Dense(outputs: 2, hasBias: true), "head.fc": Dense(outputs: 2, hasBias: false)])

  private func file(
    _ kind: GradientRecord.Kind = .gradient, resolution: ElementKind = .float32
  ) -> ExchangeFile {
    func tensor(_ numbers: [Double], _ shape: [Int]) -> Tensor {
      Tensor(numbers, shape: shape, resolution: resolution)
    }
    let table = ParameterTable(
      convention: .channelsFirst,
      [
        .init(node: 0, role: .weight): tensor([1, 2, 3, -4, 0.5, 6], [2, 3]),
        .init(node: 0, role: .bias): tensor([0.25, -1], [2]),
        .init(node: 1, role: .weight): tensor([1, 0, 0, 1.5], [2, 2]),
      ])
    var facts = ExchangeFacts()
    facts.batchSize = 2
    facts.reduction = "mean"
    facts.loss = "softmax-cross-entropy"
    facts.localSteps = 6
    facts.learningRate = 0.1
    facts.isTrainingMode = false
    var file = ExchangeFile(kind, table, of: network, facts: facts)
    file.notes = [("noise", .number(1e-5)), ("seed", .text("18446744073709551615"))]
    return file
  }

  @Test(
    "what was written is read back, in every format",
    arguments: [GradientRecord.Kind.gradient, .update], ElementKind.allCases)
  func roundTrip(kind: GradientRecord.Kind, resolution: ElementKind) throws {
    let scratch = try Place.Scratch()
    let path = scratch.path + "/out.h5"
    let written = file(kind, resolution: resolution)
    try written.write(to: path, replacing: false)
    let parsed = ParsedFile(path: path, role: .gradient, container: try InProcess.container(path))
    let contents = try FormatCatalog.read(parsed)
    #expect(contents.format == "leakaudit-layout" && contents.convention == .channelsFirst)
    #expect(contents.facts == written.facts && contents.omissions.isEmpty)
    let record = try #require(contents.gradients.first)
    #expect(contents.gradients.count == 1 && record.kind == kind && record.label.isEmpty)
    let table = try BoundModel(network, weights: written.table)
      .bind(record.tensors, convention: contents.convention, file: path).table
    #expect(table.keys == written.table.keys)
    for key in table.keys {
      let (own, other) = (table[key.node, key.role], written.table[key.node, key.role])
      #expect(own?.elements() == other?.elements() && own?.shape == other?.shape)
      #expect(own?.kind == resolution)
    }
    #expect(parsed.container.number("noise") == 1e-5)
    #expect(parsed.container.text("seed") == "18446744073709551615")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["out.h5"])
  }

  @Test("equal contents give equal bytes, at another second too")
  func determinism() throws {
    let scratch = try Place.Scratch()
    let paths = ["a", "b"].map { scratch.path + "/" + $0 }
    try file().write(to: paths[0], replacing: false)
    // HDF5 counts whole seconds in its time stamps.
    Thread.sleep(forTimeInterval: 1.1)
    try file().write(to: paths[1], replacing: false)
    let bytes = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
    #expect(bytes[0] == bytes[1] && !bytes[0].isEmpty)
  }

  @Test("a file in the way stays as it is unless it may be replaced")
  func replacing() throws {
    let scratch = try Place.Scratch()
    let path = try scratch.file("out.h5", [1, 2, 3])
    let error = #expect(throws: ExchangeFileError.self) {
      try file().write(to: path, replacing: false)
    }
    #expect(error?.description.contains("--force") == true)
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
    try file().write(to: path, replacing: true)
    #expect(try Data(contentsOf: URL(filePath: path)).count > 1_000)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["out.h5"])
  }

  @Test("a place that cannot be written is an error with advice")
  func unwritable() throws {
    let scratch = try Place.Scratch()
    let blocked = try scratch.file("file", [1])
    for path in [blocked + "/out.h5", "/proc/none/out.h5", scratch.path] {
      let error = #expect(throws: ExchangeFileError.self) {
        try file().write(to: path, replacing: true)
      }
      #expect(error?.path == path && error?.description.contains("--output") == true)
    }
  }
}
