/// The path that a report shows: as written if relative, else the last component.
///
/// Absolute paths differ between machines, and equal inputs must give equal bytes.
enum DisplayedPath {
  static func of(_ path: String) -> String {
    guard path.hasPrefix("/") else { return path.hasPrefix("./") ? String(path.dropFirst(2)) : path }
    return path.split(separator: "/").last.map(String.init) ?? path
  }
}
