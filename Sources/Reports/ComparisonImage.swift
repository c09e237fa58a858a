package import AuditModel

/// Originals beside what was recovered, in one picture: left the original, right the recovery.
///
/// Several pairs stand below each other, in as many columns as make the picture about square.
package enum ComparisonImage {
  /// White pixels between an original and its recovery.
  static let gap = 2
  /// White pixels between pairs.
  static let margin = 8

  /// - Parameters:
  ///   - pairs: At least one. Brightness means in all of them what fits the originals.
  ///   - layout: Of 1 channel for grey, or 3 for red, green and blue.
  ///   - path: The file to create or replace.
  /// - Throws: ``ReportWriteError`` if the shape is no picture or the file cannot be written.
  package static func write(
    _ pairs: [(original: [Double], recovered: [Double])], _ layout: PictureLayout,
    to path: String
  ) throws(ReportWriteError) {
    precondition(!pairs.isEmpty, "there is something to compare")
    let channels = layout.channels.count
    let mapping = PortableImage.Mapping(for: pairs.flatMap(\.original))
    let size = (height: layout.height, width: 2 * layout.width + gap)
    let columns = columns(pairs.count, size)
    let rows = (pairs.count + columns - 1) / columns
    let height = rows * (size.height + margin) - margin
    let width = columns * (size.width + margin) - margin
    var pixels = [UInt8](repeating: 255, count: height * width * channels)
    for (index, pair) in pairs.enumerated() {
      let top = index / columns * (size.height + margin)
      let left = index % columns * (size.width + margin)
      for (half, sample) in [pair.original, pair.recovered].enumerated() {
        let levels = try PortableImage.levels(sample, layout, mapping, path: path)
        let start = left + half * (layout.width + gap)
        let count = layout.width * channels
        for row in 0..<layout.height {
          let place = ((top + row) * width + start) * channels
          pixels.replaceSubrange(
            place..<place + count, with: levels[row * count..<(row + 1) * count])
        }
      }
    }
    try PortableImage.encode(pixels, height: height, width: width, channels: channels, to: path)
  }

  /// The number of columns with which `count` pairs come closest to a square.
  static func columns(_ count: Int, _ size: (height: Int, width: Int)) -> Int {
    let square = Double(count) * Double(size.height + margin) / Double(size.width + margin)
    return min(max(Int(square.squareRoot().rounded()), 1), count)
  }
}
