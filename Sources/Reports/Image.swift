package import AuditModel
internal import CPNG

/// Recovered samples as pictures that any viewer opens.
package enum PortableImage {
  /// How values became brightness; part of the picture's meaning, so record it beside the picture.
  package enum Mapping: Hashable, Sendable, CustomStringConvertible {
    /// 0 is black and 1 is white; values beyond are clamped.
    case unitInterval
    /// 0 is black and 255 is white; values beyond are clamped.
    case bytes
    /// `lower` is black and `upper` is white.
    case range(lower: Double, upper: Double)
    /// Every value is this one; the picture is mid-grey.
    case constant(Double)
    /// No value is a number; the picture is black.
    case nothingFinite

    package var description: String {
      switch self {
      case .unitInterval: "0 is black, 1 is white, values beyond are clamped"
      case .bytes: "0 is black, 255 is white, values beyond are clamped"
      case .range(let lower, let upper):
        "\(DisplayedNumber.significant(lower)) is black, "
          + "\(DisplayedNumber.significant(upper)) is white, linear between"
      case .constant(let value):
        "every value is \(DisplayedNumber.significant(value)), shown as mid-grey"
      case .nothingFinite: "no value is a finite number, shown as black"
      }
    }

    /// The brightness of `value`, 0 to 255; a value that is not a number is black.
    func level(_ value: Double) -> UInt8 {
      guard !value.isNaN else { return 0 }
      let share =
        switch self {
        case .unitInterval: value
        case .bytes: value / 255
        // Halves, so that the difference of two huge values stays finite.
        case .range(let lower, let upper): (value / 2 - lower / 2) / (upper / 2 - lower / 2)
        case .constant: 0.5
        case .nothingFinite: 0.0
        }
      return UInt8((min(max(share, 0), 1) * 255).rounded())
    }

    /// Chooses the mapping from the finite `values`.
    ///
    /// A recovery misses the true range by its error, so each range has a margin: 10 % for 0…1, 5 %
    /// for 0…255. Bytes need a value above 32: standardised pixels stay far below.
    init(for values: [Double]) {
      let finite = values.lazy.filter(\.isFinite)
      guard let lower = finite.min(), let upper = finite.max() else {
        self = .nothingFinite
        return
      }
      self =
        if lower >= -0.1, upper <= 1.1 {
          .unitInterval
        } else if lower >= -0.05 * 255, upper <= 1.05 * 255, upper > 32 {
          .bytes
        } else if lower == upper {
          .constant(lower)
        } else {
          .range(lower: lower, upper: upper)
        }
    }
  }

  /// The longest side that PNG readers accept by default.
  private static let longestSide = 1_000_000

  /// Writes `values` as an 8-bit PNG and returns how they became brightness.
  ///
  /// - Parameters:
  ///   - values: One sample, row-major.
  ///   - layout: Of 1 channel for grey, or 3 for red, green and blue.
  ///   - path: The file to create or replace.
  /// - Returns: The mapping from value to brightness.
  /// - Throws: ``ReportWriteError`` if the shape is no picture or the file cannot be written.
  package static func write(
    _ values: [Double], _ layout: PictureLayout, to path: String
  ) throws(ReportWriteError) -> Mapping {
    let mapping = Mapping(for: values)
    let pixels = try levels(values, layout, mapping, path: path)
    try encode(
      pixels, height: layout.height, width: layout.width, channels: layout.channels.count,
      to: path)
    return mapping
  }

  /// The brightness of every value in the order of a PNG: `[height, width, channels]`.
  ///
  /// - Throws: ``ReportWriteError`` with `path` if the values make no picture of the layout.
  static func levels(
    _ values: [Double], _ layout: PictureLayout, _ mapping: Mapping, path: String
  ) throws(ReportWriteError) -> [UInt8] {
    let (height, width, channels) = (layout.height, layout.width, layout.channels.count)
    guard channels == 1 || channels == 3 else {
      throw ReportWriteError(.channels(found: channels), path: path)
    }
    let sides = 1...longestSide
    guard sides.contains(height), sides.contains(width) else {
      throw ReportWriteError(
        .extent(height: height, width: width, longest: longestSide), path: path)
    }
    guard values.count == height * width * channels else {
      throw ReportWriteError(
        .valueCount(found: values.count, height: height, width: width, channels: channels),
        path: path)
    }
    var pixels = [UInt8](repeating: 0, count: values.count)
    for channel in 0..<channels {
      for (position, value) in layout.plane(channel, of: values).enumerated() {
        pixels[position * channels + channel] = mapping.level(value)
      }
    }
    return pixels
  }

  /// Writes pixels in the order of a PNG.
  ///
  /// - Precondition: There are `height · width · channels` of them.
  static func encode(
    _ pixels: [UInt8], height: Int, width: Int, channels: Int, to path: String
  ) throws(ReportWriteError) {
    precondition(pixels.count == height * width * channels, "every pixel needs its channels")
    guard max(height, width) <= longestSide else {
      throw ReportWriteError(
        .extent(height: height, width: width, longest: longestSide), path: path)
    }
    guard !path.utf8.contains(0) else { throw ReportWriteError(.path, path: path) }
    var message = [CChar](repeating: 0, count: 64)
    // Safe: Swift keeps the path and both arrays alive for the call; `pixels` holds height × width ×
    // channels bytes and `message` the 64 that the shim fills.
    let status = unsafe cpng_write(
      path, pixels, UInt32(width), UInt32(height), UInt32(channels), &message)
    guard status == 0 else {
      let detail = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw ReportWriteError(.library(detail: String(decoding: detail, as: UTF8.self)), path: path)
    }
  }
}
