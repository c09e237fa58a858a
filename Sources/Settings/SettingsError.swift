/// Why settings cannot be used: the place, what was found, what is needed, and the nearest word.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The path as the user gave it.
  package var file: String
  /// Counted from 1; absent if the trouble has no line.
  package var line: Int?
  package var found: String
  package var needed: String
  /// The word that may have been meant.
  package var nearest: String?

  package init(file: String, line: Int?, found: String, needed: String, nearest: String? = nil) {
    self.file = file
    self.line = line
    self.found = found
    self.needed = needed
    self.nearest = nearest
  }

  package var description: String {
    "\(file)\(line.map { ":\($0)" } ?? ""): \(found); \(needed)."
      + (nearest.map { " Did you mean '\($0)'?" } ?? "")
  }
}
