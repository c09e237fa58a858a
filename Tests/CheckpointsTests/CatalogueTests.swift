import Checkpoints
import Tensors
import Testing

@Suite("Catalogue of a reading child")
struct CatalogueTests {
  private func container(
    _ numbers: Catalogue.Numbers, fileBytes: Int = 64, image: Range<Int> = 0..<64,
    sharedBytes: Int? = 32
  ) throws(CheckpointError) -> Container {
    var catalogue = Catalogue()
    catalogue.datasets["w"] = .numbers(numbers)
    return try catalogue.container(
      file: Memory(count: fileBytes), image: image, shared: sharedBytes.map { Memory(count: $0) },
      path: "m.h5")
  }

  private func numbers(
    _ shape: [Int], _ kind: ElementKind = .float32, _ location: Catalogue.Location
  ) -> Catalogue.Numbers {
    Catalogue.Numbers(shape: shape, kind: kind, location: location, isInteger: false)
  }

  @Test("extents inside the memory become tensors")
  func honest() throws {
    #expect(try container(numbers([16], .float32, .file(0))).tensor("w")?.count == 16)
    #expect(try container(numbers([4], .float64, .shared(0))).tensor("w")?.count == 4)
    #expect(try container(numbers([0], .float64, .shared(32))).tensor("w")?.count == 0)
    #expect(
      try container(numbers([8], .float32, .file(0)), image: 32..<64).tensor("w")?.count == 8)
  }

  @Test(
    "a child that lies about extents is not believed",
    arguments: [
      ([17], .float32, .file(0)), ([16], .float32, .file(1)), ([1], .float32, .file(-4)),
      ([1], .float32, .file(.max)), ([1], .float32, .file(.min)), ([-1], .float32, .file(0)),
      ([.max], .float64, .file(0)), ([.max, .max], .float64, .file(0)),
      ([1 << 32, 1 << 32], .float16, .file(0)), ([5], .float64, .shared(0)),
      ([1], .float64, .shared(32)), ([1], .float64, .shared(-8)), ([1], .float64, .shared(.max)),
      ([0, -5], .float64, .shared(0)),
    ] as [([Int], ElementKind, Catalogue.Location)])
  func liars(shape: [Int], kind: ElementKind, location: Catalogue.Location) {
    let error = #expect(throws: CheckpointError.self) {
      _ = try container(numbers(shape, kind, location))
    }
    #expect(error?.reason == .readerCrashed(detail: "an extent leaves its memory"))
    #expect(error?.object == "w")
  }

  @Test(
    "an extent that leaves the member of an archive is not believed",
    arguments: [
      ([9], 0), ([8], 4), ([1], -8), ([1], .max), ([1], .min),
    ])
  func memberOfAnArchive(shape: [Int], offset: Int) {
    #expect(throws: CheckpointError.self) {
      _ = try container(numbers(shape, .float32, .file(offset)), fileBytes: 128, image: 32..<64)
    }
  }

  @Test("numbers in shared memory that is not there are not believed")
  func noSharedMemory() {
    #expect(throws: CheckpointError.self) {
      _ = try container(numbers([1], .float32, .shared(0)), sharedBytes: nil)
    }
  }

  @Test("a dataset that could not be decoded is refused with its reason")
  func failure() throws {
    var broken = numbers([2], .float32, .shared(0))
    broken.failure = "damaged there"
    guard case .refused(let shape, let reason) = try container(broken).datasets["w"] else {
      Issue.record("the dataset is not refused")
      return
    }
    #expect(shape == [2] && reason == "damaged there")
  }

  @Test(
    "a program that is no reading child is an error with its end",
    arguments: [
      ("/bin/true", "the answer is incomplete"), ("/bin/false", "ended with code 1"),
      ("/nonexistent/tool", "could not be started"), ("/bin/echo", "the answer is incomplete"),
    ])
  func otherPrograms(program: String, detail: String) throws {
    let path = Place.fixtures + "/torch/state.h5"
    let file = try MappedFile(path: path)
    let error = #expect(throws: CheckpointError.self) {
      _ = try SandboxedReader(executable: program).read(file, range: 0..<file.count, path: path)
    }
    #expect(error?.description.contains(detail) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("a child killed by a signal is one error, nothing else")
  func signal() throws {
    let path = Place.fixtures + "/torch/state.h5"
    let file = try MappedFile(path: path)
    let error = #expect(throws: CheckpointError.self) {
      _ = try SandboxedReader(executable: Place.crashingChild).read(
        file, range: 0..<file.count, path: path)
    }
    #expect(error?.reason == .readerCrashed(detail: "the HDF5 library ended with signal 11"))
  }
}
