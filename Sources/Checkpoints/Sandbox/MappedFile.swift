internal import Glibc
public import Tensors

/// A regular file, mapped read-only.
///
/// If somebody truncates the file while it is mapped, the process ends with exit code 2 and one
/// line; see ``TruncationGuard``.
@safe public final class MappedFile: TensorStorage {
  // Safe: the mapping is private and read-only, and unmapped by the only owner.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  /// Stays open for as long as the mapping.
  let descriptor: Int32

  /// Opens and maps the file at `path`.
  ///
  /// A symbolic link in `path` is followed, since the user named it; pipes, sockets, devices and
  /// directories are refused without waiting for them.
  ///
  /// - Throws: ``CheckpointError`` with the path as given.
  public convenience init(path: String) throws(CheckpointError) {
    // Safe, here and below: C strings and structures outlive the calls that read them.
    let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      let code = errno
      throw CheckpointError(
        code == ENOENT ? .missing : .unopenable(detail: unsafe String(cString: strerror(code))),
        file: path)
    }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Takes ownership of `descriptor`.
  init(descriptor: Int32, path: String) throws(CheckpointError) {
    func fail(_ reason: CheckpointError.Reason) -> CheckpointError {
      close(descriptor)
      return CheckpointError(reason, file: path)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw fail(.unopenable(detail: "its status is not available"))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw fail(.notRegular(kind: Self.name(ofMode: status.st_mode)))
    }
    let count = Int(status.st_size)
    guard count > 0 else { throw fail(.empty) }
    let address = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw fail(.unopenable(detail: "it cannot be mapped into memory"))
    }
    self.descriptor = descriptor
    unsafe bytes = UnsafeRawBufferPointer(start: address, count: count)
  }

  deinit {
    unsafe munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    close(descriptor)
  }

  /// Number of bytes.
  public var count: Int { unsafe bytes.count }

  /// A copy of part of the file.
  ///
  /// - Returns: `nil` if the range leaves the file.
  package func copy(_ range: Range<Int>) -> [UInt8]? {
    guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
    return unsafe Array(bytes[range])
  }

  /// Gives the memory that reading took back to the system; what is read again comes from the file.
  package func releaseMemory() {
    // Safe: the mapping is private and was never written to, so no content is lost.
    _ = unsafe madvise(
      UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED)
  }

  /// The SHA-256 digest of the whole file in lower-case hexadecimal.
  public func sha256() -> String { unsafe Digest.sha256(bytes) }

  private static func name(ofMode mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a pipe"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "not a file"
    }
  }
}

/// Turns a truncation of a mapped file into one clear line instead of a crash.
public enum TruncationGuard {
  /// Installs the handler for the rest of the process.
  public static func install() {
    // Safe: the handler calls only functions that are safe inside a signal handler.
    signal(SIGBUS) { _ in
      let line: StaticString =
        "leakaudit: an input was truncated while it was read; nothing was reported. Run it again.\n"
      unsafe write(2, line.utf8Start, line.utf8CodeUnitCount)
      _exit(2)
    }
  }
}
