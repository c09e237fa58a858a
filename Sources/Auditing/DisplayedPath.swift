/// The path that a report shows: as written if relative, else what does not depend on the machine.
///
/// Absolute paths differ between machines, and equal inputs must give equal bytes.
enum DisplayedPath {
  /// A file found below a directory that the user named: the directory's own name and what follows.
  static func of(_ path: String, below directory: String) -> String {
    guard directory.hasPrefix("/"), path.hasPrefix(directory) else { return of(path) }
    let rest = path.dropFirst(directory.count).drop { $0 == "/" }
    return of(directory) + "/" + rest
  }

  /// A path that the user named: the last component of an absolute one.
  static func of(_ path: String) -> String {
    guard path.hasPrefix("/") else {
      return path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    }
    return path.split(separator: "/").last.map(String.init) ?? path
  }
}
