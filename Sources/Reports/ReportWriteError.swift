/// Why a picture could not be written, in words the user can act on.
package struct ReportWriteError: Error, Hashable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    /// The number of values does not fit the stated shape.
    case valueCount(found: Int, height: Int, width: Int, channels: Int)
    /// Neither grey nor colour.
    case channels(found: Int)
    /// A side without pixels, or longer than a PNG reader accepts.
    case extent(height: Int, width: Int, longest: Int)
    /// A path that the operating system would cut short.
    case path
    /// The library or the operating system refused.
    case library(detail: String)
  }

  package let reason: Reason
  package let path: String

  package init(_ reason: Reason, path: String) {
    self.reason = reason
    self.path = path
  }

  package var description: String {
    let place = "picture '\(Escaped.terminal(path, limit: Escaped.nameLimit))'"
    return switch reason {
    case .valueCount(let found, let height, let width, let channels):
      "\(place): found \(found) values; \(height) × \(width) pixels with \(channels) channels need "
        + "as many as their product. State the shape of one recovered sample."
    case .channels(let found):
      "\(place): found \(found) channels; a picture needs 1 (grey) or 3 (red, green, blue). "
        + "Write such a sample as numbers instead."
    case .extent(let height, let width, let longest):
      "\(place): found \(height) × \(width) pixels; each side needs 1 to \(longest). "
        + "Write such a sample as numbers instead."
    case .path:
      "\(place): found a zero byte in the path; a path needs to be free of them. "
        + "Choose another name."
    case .library(let detail):
      "\(place): the PNG could not be written (\(Escaped.terminal(detail))); it needs an existing "
        + "folder, permission to write and free space. Check the folder and run again."
    }
  }
}
