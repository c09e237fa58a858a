import Checkpoints
import Foundation
import Tensors
import Testing

@Suite("Files of real frameworks")
struct FixtureReadingTests {
  static let files: [String] = {
    let all = FileManager.default.enumerator(atPath: Place.fixtures)?.compactMap { $0 as? String }
    return (all ?? []).filter { $0.hasSuffix(".h5") || $0.hasSuffix(".keras") }.sorted()
  }()

  @Test("the folder is not empty and the tool is built")
  func folder() {
    #expect(Self.files.count > 80)
    #expect(FileManager.default.isExecutableFile(atPath: Place.executable))
  }

  @Test("the child and this process read the same, bit by bit", arguments: files)
  func childAgrees(name: String) throws {
    let path = Place.fixtures + "/" + name
    let file = try MappedFile(path: path)
    let child = try SandboxedReader(executable: Place.executable)
      .read(file, range: InProcess.image(of: file), path: path)
    let here = try InProcess.container(path)
    #expect(child.lines == here.lines)
    #expect(child.datasetPaths == here.datasetPaths && !here.datasetPaths.isEmpty)
  }

  @Test("nothing in them is hazardous or passed over, but LZF", arguments: files)
  func nothingIsOmitted(name: String) throws {
    let container = try InProcess.container(Place.fixtures + "/" + name)
    #expect(container.hazards.isEmpty && container.omissions.isEmpty)
    for (path, dataset) in container.datasets {
      guard case .refused(_, let reason) = dataset else { continue }
      #expect(name == "torch/type_lzf.h5" && reason.contains("LZF"), "\(path): \(reason)")
    }
  }

  @Test("one gradient is the same in every element type and storage")
  func elementTypes() throws {
    let plain = try InProcess.container(Place.fixtures + "/torch/gradient_b1.h5")
    // One rounding to nearest: relative for normal numbers, absolute for subnormal ones.
    for name in Self.files where name.hasPrefix("torch/type_") && !name.contains("lzf") {
      let container = try InProcess.container(Place.fixtures + "/" + name)
      for path in plain.datasetPaths {
        let expected = try #require(plain.tensor(path)).elements()
        let tensor = try #require(container.tensor(path))
        let found = tensor.elements()
        let isCoarse = tensor.kind == .float16 || tensor.kind == .bfloat16
        let (relative, absolute) =
          isCoarse ? (tensor.kind.unitRoundoff, tensor.kind.absoluteRoundoff) : (0, 0)
        #expect(expected.count == found.count, "\(name)")
        #expect(
          zip(expected, found).allSatisfy { abs($0 - $1) <= relative * abs($0) + absolute },
          "\(name)")
      }
    }
  }

  @Test(
    "an archive without weights or with a broken directory is an error",
    arguments: [
      ("archives_no_weights.keras", "no member model.weights.h5"),
      ("archives_cut_half.keras", "truncated"),
      ("archives_deflated.keras", "is compressed (method 8)"),
      ("archives_encrypted.keras", "is encrypted"),
      ("archives_name_traversal.keras", "outside the archive"),
    ])
  func archives(name: String, part: String) {
    let reader = CheckpointReader(sandbox: SandboxedReader(executable: Place.executable))
    let error = #expect(throws: CheckpointError.self) {
      _ = try reader.read(Place.hostile + "/" + name, as: .model)
    }
    #expect(error?.description.contains(part) == true, "\(error.map { "\($0)" } ?? "")")
  }
}
