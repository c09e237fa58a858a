internal import CHDF5
internal import Glibc
internal import Synchronization
internal import Tensors

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// What the parent asks of a reading child; one argument of its command line.
struct ReadingRequest: Codable, Sendable {
  /// The part of the file that is an HDF5 image: all of it, or one member of an archive.
  var imageOffset: Int
  var imageCount: Int
  var limits: ReadingLimits
  /// Processor seconds after which the kernel stops the child.
  var seconds: Int
}

/// What the child answers on its standard output.
package enum ReadingResponse: Codable, Sendable {
  case catalogue(Catalogue)
  case failure(String)
}

/// The process in which libhdf5 meets a file from a stranger.
///
/// The child gets three descriptors and nothing else: the file, shared memory for decoded numbers,
/// and a pipe. It gives up the right to open any other file, to use more memory or time than
/// granted, and to leave a core dump, before the library sees the first byte.
public enum ReadingChild {
  /// The first argument of a child's command line.
  package static let command = "__read-container"
  static let fileDescriptor: Int32 = 3
  static let sharedDescriptor: Int32 = 4

  /// Runs the child if the command line asks for one; otherwise returns.
  ///
  /// Called first thing by the executable.
  public static func runIfRequested(_ arguments: [String]) {
    guard arguments.count == 3, arguments[1] == command else { return }
    guard
      let request = try? JSONDecoder().decode(ReadingRequest.self, from: Data(arguments[2].utf8))
    else { exit(4) }
    exit(write(run(request)) ? 0 : 5)
  }

  private static func run(_ request: ReadingRequest) -> ReadingResponse {
    restrain(request)
    // Safe: the mapping is as large as asked for, stays until the process ends, and is private.
    let mapped = unsafe mmap(
      nil, request.imageOffset + request.imageCount, PROT_READ, MAP_PRIVATE, fileDescriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      return .failure("the file cannot be mapped into memory")
    }
    let image = unsafe UnsafeMutableRawBufferPointer(
      start: mapped + request.imageOffset, count: request.imageCount)
    return unsafe read(image: image, limits: request.limits) { count in
      guard ftruncate(sharedDescriptor, off_t(count)) == 0 else { return nil }
      let shared = unsafe mmap(
        nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, sharedDescriptor, 0)
      guard let shared = unsafe shared, unsafe shared != MAP_FAILED else { return nil }
      return unsafe UnsafeMutableRawBufferPointer(start: shared, count: count)
    }
  }

  /// Lists and decodes one HDF5 image.
  ///
  /// - Parameter allocate: returns zeroed memory for the decoded numbers.
  // Safe: the image outlives the call, and HDF5 is told to write nowhere but into the result.
  package static func read(
    image: UnsafeMutableRawBufferPointer, limits: ReadingLimits,
    allocate: (Int) -> UnsafeMutableRawBufferPointer?
  ) -> ReadingResponse {
    HDF5Library.turn.withLock { _ in
      unsafe readInTurn(image: image, limits: limits, allocate: allocate)
    }
  }

  // Safe: as above.
  private static func readInTurn(
    image: UnsafeMutableRawBufferPointer, limits: ReadingLimits,
    allocate: (Int) -> UnsafeMutableRawBufferPointer?
  ) -> ReadingResponse {
    H5PLset_loading_state(0)
    // Safe: no callback is given.
    H5Eset_auto2(0, nil, nil)
    var source = unsafe chdf5_image(bytes: image.baseAddress, count: image.count)
    let opened = unsafe chdf5_open_image(&source)
    guard let file = HDF5Handle(opened, closedBy: H5Fclose) else {
      return .failure("its superblock or root group is unreadable")
    }
    var walk = HDF5Walk(limits: limits, imageCount: image.count)
    walk.list(file.identifier)
    if walk.catalogue.sharedCount > 0 {
      guard let shared = unsafe allocate(walk.catalogue.sharedCount) else {
        return .failure("there is no memory for \(walk.catalogue.sharedCount.byteText) of numbers")
      }
      unsafe walk.decode(file.identifier, into: shared)
    }
    return .catalogue(walk.catalogue)
  }

  private static func restrain(_ request: ReadingRequest) {
    let memory = request.imageOffset + request.imageCount + request.limits.dataBytes + (2 << 30)
    limit(__rlimit_resource_t(RLIMIT_AS.rawValue), memory)
    limit(__rlimit_resource_t(RLIMIT_CPU.rawValue), request.seconds)
    limit(__rlimit_resource_t(RLIMIT_CORE.rawValue), 0)
    limit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), 0)
  }

  private static func limit(_ resource: __rlimit_resource_t, _ value: Int) {
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    // Safe: the structure outlives the call. A limit that cannot be set is already stricter.
    _ = unsafe setrlimit(resource, &limit)
  }

  private static func write(_ response: ReadingResponse) -> Bool {
    guard let data = try? JSONEncoder().encode(response) else { return false }
    var rest = Array(data)[...]
    while !rest.isEmpty {
      // Safe: the buffer outlives the call.
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress, $0.count) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
