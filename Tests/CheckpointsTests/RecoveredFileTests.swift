import Checkpoints
import Foundation
import Tensors
import Testing

@Suite("Recovered files")
struct RecoveredFileTests {
  private func group(_ name: String?, proven: Bool = true) -> RecoveredFile.Group {
    RecoveredFile.Group(
      name: name, source: "gradient", layer: "enc/fc", inputs: tensor(2, 3, 4), labels: [7, -1],
      certificates: [1e-8, 0.5], isProven: proven, method: "cascade")
  }

  @Test("equal samples give equal bytes")
  func determinism() throws {
    let (first, second) = (try Place.Scratch(), try Place.Scratch())
    for scratch in [first, second] {
      try RecoveredFile.write([group("a"), group("b", proven: false)], in: scratch.path)
    }
    let files = try [first, second].map {
      try Data(contentsOf: URL(filePath: $0.path + "/recovered.h5"))
    }
    #expect(files[0] == files[1] && !files[0].isEmpty)
  }

  @Test("what was written is read back")
  func roundTrip() throws {
    let scratch = try Place.Scratch()
    let folder = scratch.path + "/new"
    try RecoveredFile.write([group(nil), group("two", proven: false)], in: folder)
    let container = try InProcess.container(folder + "/recovered.h5")
    for (prefix, proven) in [("", 1.0), ("two/", 0.0)] {
      let inputs = try #require(container.tensor(prefix + "inputs"))
      #expect(inputs.shape == [2, 3, 4] && inputs.elements() == tensor(2, 3, 4).elements())
      #expect(container.tensor(prefix + "labels")?.elements() == [7, -1])
      #expect(container.tensor(prefix + "certificate")?.elements() == [1e-8, 0.5])
      #expect(container.tensor(prefix + "proven")?.elements() == [proven, proven])
      #expect(container.text("source", of: String(prefix.dropLast())) == "gradient")
      #expect(container.text("layer", of: String(prefix.dropLast())) == "enc/fc")
    }
  }

  @Test("samples stay in the model's units, and what makes pictures of them stands beside them")
  func scale() throws {
    let scratch = try Place.Scratch()
    var scaled = group("scaled")
    scaled.inputMean = [0.25, 0.5, 0.125]
    scaled.inputDeviation = [0.5, 0.25, 2]
    try RecoveredFile.write([group("plain"), scaled], in: scratch.path)
    let container = try InProcess.container(scratch.path + "/recovered.h5")
    #expect(container.tensor("scaled/inputs")?.elements() == tensor(2, 3, 4).elements())
    #expect(container.text("input_units", of: "plain") == "model input")
    #expect(
      container.attributes["scaled"]?["input_mean"]
        == .numbers([0.25, 0.5, 0.125], isScalar: false))
    #expect(
      container.attributes["scaled"]?["input_std"] == .numbers([0.5, 0.25, 2], isScalar: false))
    #expect(container.attributes["plain"]?["input_mean"] == nil)
  }

  @Test("a place that cannot be written is an error with advice")
  func unwritable() throws {
    let scratch = try Place.Scratch()
    let file = try scratch.file("file", [1])
    for directory in [file, file + "/inside", "/proc/none"] {
      let error = #expect(throws: RecoveredFileError.self) {
        try RecoveredFile.write([group(nil)], in: directory)
      }
      #expect(error?.description.contains("--save-recovered") == true)
    }
    let error = #expect(throws: RecoveredFileError.self) {
      try RecoveredFile.write([group("a"), group("a")], in: scratch.path)
    }
    #expect(error?.detail == "a dataset cannot be written")
  }
}
