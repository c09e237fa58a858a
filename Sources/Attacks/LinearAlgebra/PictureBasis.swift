#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif
internal import LinearAlgebra

/// An orthonormal basis of pictures: cosines along every spatial axis, and the mean of the channels
/// apart from their differences.
///
/// Coefficients lie where the values lay: the frequencies along a spatial axis ascend, and the first
/// channel holds the means.
///
/// - Source: Ahmed, Natarajan & Rao, *Discrete Cosine Transform*, 1974.
struct PictureBasis: Sendable {
  /// The extents of a sample, spatial axes and one of channels.
  let shape: [Int]
  /// The axis of the channels.
  private let channelAxis: Int
  /// By axis, frequencies × places; `nil` along the channels and where an axis is too long.
  private let cosines: [DenseMatrix?]

  /// Places of a longer axis stay as they are: its transform would be the square of it in size.
  private static let longest = 1_024

  /// - Parameters:
  ///   - shape: Spatial axes and one of channels.
  ///   - isChannelsFirst: Whether that is the first, rather than the last.
  init(shape: [Int], isChannelsFirst: Bool) {
    self.shape = shape
    let channelAxis = isChannelsFirst ? 0 : max(shape.count - 1, 0)
    self.channelAxis = channelAxis
    cosines = shape.indices.map {
      $0 == channelAxis || shape[$0] > Self.longest ? nil : Self.cosines(shape[$0])
    }
  }

  var count: Int { shape.reduce(1, *) }

  /// The square of the length of every coefficient's frequency, in half periods per extent.
  var squaredFrequencies: [Int] {
    (0..<count).map { index in
      shape.indices.reduce(0) { sum, axis in
        guard cosines[axis] != nil else { return sum }
        let frequency = index / stride(axis) % shape[axis]
        return sum + frequency * frequency
      }
    }
  }

  /// Whether a coefficient is of a difference between channels, and not of their mean.
  var isDifference: [Bool] {
    guard shape.indices.contains(channelAxis) else { return Array(repeating: false, count: count) }
    return (0..<count).map { $0 / stride(channelAxis) % shape[channelAxis] > 0 }
  }

  func coefficients(_ values: [Double]) -> [Double] {
    cosines.indices.reduce(reflected(values)) { product($0, $1, isTransposed: false) }
  }

  func values(_ coefficients: [Double]) -> [Double] {
    reflected(cosines.indices.reduce(coefficients) { product($0, $1, isTransposed: true) })
  }

  private func stride(_ axis: Int) -> Int { shape[(axis + 1)...].reduce(1, *) }

  /// The reflection that takes equal channels to the first; its own inverse.
  private func reflected(_ values: [Double]) -> [Double] {
    let channels = shape.indices.contains(channelAxis) ? shape[channelAxis] : 1
    guard channels > 1 else { return values }
    let even = 1 / Double(channels).squareRoot()
    var normal = Array(repeating: even, count: channels)
    normal[0] -= 1
    let square = normal.dot(normal)
    let (step, last) = (stride(channelAxis), channels - 1)
    var result = values
    for start in values.indices where start / step % channels == 0 {
      var along = 0.0
      for channel in 0...last { along += normal[channel] * values[start + channel * step] }
      along *= 2 / square
      for channel in 0...last { result[start + channel * step] -= along * normal[channel] }
    }
    return result
  }

  private func product(_ values: [Double], _ axis: Int, isTransposed: Bool) -> [Double] {
    guard let matrix = cosines[axis] else { return values }
    let (extent, inner) = (shape[axis], stride(axis))
    if inner == 1 {
      let lines = DenseMatrix(rows: extent, columns: values.count / extent, elements: values)
      return (isTransposed ? matrix.transposeTimes(lines) : matrix * lines).elements
    }
    var result: [Double] = []
    result.reserveCapacity(values.count)
    for start in Swift.stride(from: 0, to: values.count, by: extent * inner) {
      let block = DenseMatrix(
        rows: inner, columns: extent, elements: Array(values[start..<start + extent * inner]))
      result += (isTransposed ? block * matrix : block.timesTranspose(matrix)).elements
    }
    return result
  }

  private static func cosines(_ extent: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: extent, columns: extent)
    for frequency in 0..<extent {
      let size = (frequency == 0 ? 1 : 2.0.squareRoot()) / Double(extent).squareRoot()
      for place in 0..<extent {
        let angle = Double.pi * Double(frequency) * (Double(place) + 0.5) / Double(extent)
        result[frequency, place] = size * cos(angle)
      }
    }
    return result
  }
}
