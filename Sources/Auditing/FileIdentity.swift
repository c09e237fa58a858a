internal import Glibc

/// Which file a path leads to, whatever it is called.
struct FileIdentity: Hashable {
  private let device: UInt
  private let number: UInt

  /// - Returns: `nil` if there is none.
  init?(_ path: String) {
    var status = stat()
    // Safe: the string and the structure outlive the call.
    guard unsafe stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
  }
}
