internal import Checkpoints
internal import Glibc

/// Finds checkpoints below a directory by their content.
enum InputDiscovery {
  /// Entries looked at below one directory.
  private static let limit = 20_000
  private static let depthLimit = 16

  enum Found {
    case file(String)
    /// A directory with the checkpoints in it, sorted, and whether all of it was looked at.
    case directory([String], isComplete: Bool)
  }

  static func expand(_ path: String) -> Found {
    var status = stat()
    // Safe: the structure and the path outlive the call.
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return .file(path)
    }
    var found: [String] = []
    var seen = 0
    let isComplete = collect(path, depth: 0, into: &found, seen: &seen)
    return .directory(found.sorted(), isComplete: isComplete)
  }

  /// Symbolic links are not followed: they may leave the directory or close a circle.
  private static func collect(
    _ directory: String, depth: Int, into found: inout [String], seen: inout Int
  ) -> Bool {
    // Safe, here and below: strings and structures outlive the calls that read them.
    guard depth <= depthLimit, let stream = unsafe opendir(directory) else { return false }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      seen += 1
      guard seen <= limit else { return false }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let name, name != ".", name != ".." { names.append(name) }
    }
    var isComplete = true
    for name in names.sorted() {
      let path = directory.hasSuffix("/") ? directory + name : directory + "/" + name
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        isComplete = collect(path, depth: depth + 1, into: &found, seen: &seen) && isComplete
      case S_IFREG where looksLikeCheckpoint(path): found.append(path)
      default: break
      }
    }
    return isComplete
  }

  private static func looksLikeCheckpoint(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return CheckpointReader.looksReadable(file)
  }
}
