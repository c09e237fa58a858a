import Checkpoints
import Foundation
import Networks
import Tensors

/// Where the committed files lie, and the tool built beside the tests.
enum Place {
  static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  static let fixtures = tests.appending(path: "Fixtures/frameworks").path
  static let hostile = tests.appending(path: "Fixtures/hostile/files").path
  /// Committed, since a script that a test writes may still be open in a child of another test, and then
  /// cannot be run.
  static let crashingChild = tests.appending(path: "Fixtures/programs/crashing-child").path
  static let sources = tests.deletingLastPathComponent().appending(path: "Sources/Checkpoints")

  static let executable = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "leakaudit").path

  /// A directory of its own for one test, removed when the value goes.
  final class Scratch {
    let path: String

    init() throws {
      path =
        FileManager.default.temporaryDirectory
        .appending(path: "checkpoints-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
      try Data(bytes).write(to: URL(filePath: path + "/" + name))
      return path + "/" + name
    }
  }
}

/// Memory that a test hands to the reader in place of the child's shared memory.
@safe final class Memory: TensorStorage {
  // Safe: written by the reader before anybody else sees it, and freed by the only owner.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  nonisolated(unsafe) let writable: UnsafeMutableRawBufferPointer

  init(count: Int) {
    unsafe writable = .allocate(byteCount: count, alignment: 64)
    unsafe writable.initializeMemory(as: UInt8.self, repeating: 0)
    unsafe bytes = UnsafeRawBufferPointer(writable)
  }

  convenience init(_ content: [UInt8]) {
    self.init(count: content.count)
    unsafe writable.copyBytes(from: content)
  }

  deinit { unsafe writable.deallocate() }
}

/// Reading without a child.
enum InProcess {
  struct Damaged: Error { var detail: String }

  /// The HDF5 image inside a file: all of it, or the weights of an archive.
  static func image(of file: MappedFile) throws -> Range<Int> {
    guard file.copy(0..<2) == [0x50, 0x4b] else { return 0..<file.count }
    // Safe: the mapping outlives the directory.
    let member = try unsafe ZipArchive(file.bytes).member("model.weights.h5")
    guard let member else { throw Damaged(detail: "no weights") }
    return member.range
  }

  static func container(
    _ path: String, limits: ReadingLimits = ReadingLimits()
  ) throws -> Container {
    let file = try MappedFile(path: path)
    let range = try image(of: file)
    var shared: Memory?
    // Safe: the image stays mapped, and the reader does not write to it.
    let response = unsafe ReadingChild.read(
      image: UnsafeMutableRawBufferPointer(
        mutating: UnsafeRawBufferPointer(rebasing: file.bytes[range])),
      limits: limits
    ) { count in
      let memory = Memory(count: count)
      shared = memory
      return unsafe memory.writable
    }
    switch response {
    case .failure(let detail): throw Damaged(detail: detail)
    case .catalogue(let catalogue):
      return try catalogue.container(file: file, image: range, shared: shared, path: path)
    }
  }
}

/// Short forms for tables.
func tensor(_ shape: Int...) -> Tensor {
  Tensor((0..<shape.reduce(1, *)).map { Double($0 % 7) }, shape: shape)
}

func named(_ name: String, _ tensor: Tensor) -> NamedTensor {
  NamedTensor(path: name, name: name, tensor: tensor)
}

extension NamedTensor {
  /// `fc1/logits weight 3×4`.
  var text: String {
    "\(layer.joined(separator: "/")) \(role) "
      + (tensor.shape.isEmpty ? "scalar" : tensor.shape.map(String.init).joined(separator: "×"))
  }
}

extension Container {
  /// Everything a container holds, one line per fact, numbers bit by bit.
  var lines: [String] {
    var lines = groups.sorted().map { "group \($0)" }
    for path in datasetPaths {
      switch datasets[path] {
      case .numbers(let tensor, let isInteger):
        let bits = tensor.elements().map { String($0.bitPattern, radix: 16) }
        lines.append("\(path) \(tensor.shape) \(tensor.kind) \(isInteger) \(bits)")
      case .text(let texts): lines.append("\(path) \(texts)")
      case .refused(let shape, let reason): lines.append("\(path) \(shape) \(reason)")
      case nil: lines.append("\(path) is lost")
      }
    }
    for (path, values) in attributes {
      for (name, value) in values { lines.append("@\(path) \(name) \(value)") }
    }
    lines += hazards.map { "hazard \($0)" } + omissions.map { "omission \($0)" }
    return lines.sorted()
  }
}
