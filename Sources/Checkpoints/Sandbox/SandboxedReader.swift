internal import CSystem
internal import Glibc
package import Tensors

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Reads HDF5 files through a child process that can do nothing else.
///
/// A crash or an endless loop inside the library ends the child; the parent sees one error.
public struct SandboxedReader: Sendable {
  /// The executable that becomes the child: this tool itself.
  public var executable: String
  /// Bytes of numbers that one file may hold.
  public var memoryLimit: Int

  /// A reader that starts the running executable again.
  public init(executable: String = "/proc/self/exe", memoryLimit: Int = 4 << 30) {
    self.executable = executable
    self.memoryLimit = memoryLimit
  }

  /// Reads the HDF5 image in `range` of `file`.
  ///
  /// - Throws: ``CheckpointError`` if the image is damaged or the child does not return.
  package func read(
    _ file: MappedFile, range: Range<Int>, path: String
  ) throws(CheckpointError) -> Container {
    let seconds = 5 + range.count / (10 << 20)
    let request = ReadingRequest(
      imageOffset: range.lowerBound, imageCount: range.count,
      limits: ReadingLimits(dataBytes: memoryLimit), seconds: seconds)
    // Safe: the literal outlives the call.
    let memory = unsafe csystem_memory_file("leakaudit")
    guard memory >= 0, let argument = try? JSONEncoder().encode(request) else {
      throw CheckpointError(.readerCrashed(detail: "no shared memory is available"), file: path)
    }
    defer { close(memory) }
    let answer = try ChildProcess(
      executable: executable,
      arguments: [ReadingChild.command, String(decoding: argument, as: UTF8.self)],
      descriptors: [file.descriptor, memory], path: path
    ).output(seconds: seconds)
    guard let response = try? JSONDecoder().decode(ReadingResponse.self, from: Data(answer)) else {
      throw CheckpointError(.readerCrashed(detail: "the answer is incomplete"), file: path)
    }
    switch response {
    case .failure(let detail): throw CheckpointError(.damaged(detail: detail), file: path)
    case .catalogue(let catalogue):
      let shared =
        catalogue.sharedCount > 0
        ? try SharedMemory(descriptor: memory, path: path) as any TensorStorage : nil
      return try catalogue.container(file: file, image: range, shared: shared, path: path)
    }
  }
}

/// Memory that a child filled and nobody writes to any more.
@safe private final class SharedMemory: TensorStorage {
  // Safe: the mapping is read-only and unmapped by the only owner.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  init(descriptor: Int32, path: String) throws(CheckpointError) {
    var status = stat()
    // Safe: the structure outlives the call.
    guard unsafe fstat(descriptor, &status) == 0, status.st_size > 0 else {
      throw CheckpointError(.readerCrashed(detail: "the shared memory is empty"), file: path)
    }
    let address = unsafe mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw CheckpointError(.readerCrashed(detail: "the shared memory is gone"), file: path)
    }
    unsafe bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
  }

  deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

extension Catalogue {
  /// Joins names and numbers, and checks every extent once more: the child may have been subverted.
  package func container(
    file: any TensorStorage, image: Range<Int>, shared: (any TensorStorage)?, path: String
  ) throws(CheckpointError) -> Container {
    var datasets: [String: Container.Dataset] = [:]
    for (name, dataset) in self.datasets {
      switch dataset {
      case .text(let texts): datasets[name] = .text(texts)
      case .refused(let shape, let reason):
        datasets[name] = .refused(shape: shape, reason: reason)
      case .numbers(let numbers):
        if let failure = numbers.failure {
          datasets[name] = .refused(shape: numbers.shape, reason: failure)
        } else if let tensor = numbers.tensor(file: file, image: image, shared: shared) {
          datasets[name] = .numbers(tensor, isInteger: numbers.isInteger)
        } else {
          throw CheckpointError(
            .readerCrashed(detail: "an extent leaves its memory"), file: path, object: name)
        }
      }
    }
    return Container(
      groups: Set(groups).union([""]), datasets: datasets, attributes: attributes,
      hazards: hazards, omissions: omissions)
  }
}

extension Catalogue.Numbers {
  fileprivate func tensor(
    file: any TensorStorage, image: Range<Int>, shared: (any TensorStorage)?
  ) -> Tensor? {
    let storage: any TensorStorage
    let offset: Int
    let bounds: Range<Int>
    switch location {
    case .file(let place): (storage, offset, bounds) = (file, place, image)
    case .shared(let place):
      guard let shared else { return nil }
      // Safe: only the number of bytes is read.
      (storage, offset, bounds) = (shared, place, unsafe 0..<shared.bytes.count)
    }
    guard let size = shape.checkedProduct(times: kind.byteCount), offset >= 0,
      offset <= bounds.count, size <= bounds.count - offset
    else { return nil }
    return Tensor(
      storage: storage, byteOffset: bounds.lowerBound + offset, shape: shape, kind: kind)
  }
}
