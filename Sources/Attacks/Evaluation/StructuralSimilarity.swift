internal import AuditModel

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The structural similarity of two pictures, 1 if they are equal.
///
/// For windows around every pixel that a whole window fits around, with means *μ*, variances *σ²* and
/// covariance *σ₁₂* under Gaussian weights:
/// `(2 μ₁ μ₂ + c₁)(2 σ₁₂ + c₂) / ((μ₁² + μ₂² + c₁)(σ₁² + σ₂² + c₂))`, `c₁ = 0.01²`, `c₂ = 0.03²`; the
/// mean over windows, then over channels.
///
/// - Source: Wang, Bovik, Sheikh & Simoncelli, *Image Quality Assessment: From Error Visibility to
///   Structural Similarity*, IEEE Transactions on Image Processing 2004, Eq. 13, with its weights and
///   constants.
struct StructuralSimilarity {
  /// Pixels along a side of the window.
  static let window = 11
  private static let luminance = 0.01 * 0.01
  private static let contrast = 0.03 * 0.03

  private let layout: PictureLayout
  private let weights: [Double]

  /// - Returns: `nil` if no window fits into the picture: similarity is about structure within one,
  ///   and a smaller window would give another measure under the same name.
  init?(_ layout: PictureLayout) {
    guard layout.height >= Self.window, layout.width >= Self.window, layout.channels.count > 0
    else { return nil }
    self.layout = layout
    let weights = (0..<Self.window).map { place in
      let distance = Double(place - Self.window / 2)
      return exp(-distance * distance / (2 * 1.5 * 1.5))
    }
    let sum = weights.reduce(0, +)
    self.weights = weights.map { $0 / sum }
  }

  /// - Parameters: Pictures of the layout with values in 0…1.
  /// - Complexity: 110 products for each value.
  func callAsFunction(_ x: [Double], _ y: [Double]) -> Double {
    let channels = layout.channels.count
    let sum = (0..<channels).reduce(0.0) { sum, channel in
      sum + similarity(layout.plane(channel, of: x), layout.plane(channel, of: y))
    }
    return sum / Double(channels)
  }

  private func similarity(_ x: [Double], _ y: [Double]) -> Double {
    let (meanX, meanY) = (smoothed(x), smoothed(y))
    let squareX = smoothed(zip(x, x).map(*))
    let squareY = smoothed(zip(y, y).map(*))
    let product = smoothed(zip(x, y).map(*))
    let sum = meanX.indices.reduce(0.0) { sum, place in
      let (a, b) = (meanX[place], meanY[place])
      let (varianceX, varianceY) = (squareX[place] - a * a, squareY[place] - b * b)
      let covariance = product[place] - a * b
      return sum
        + (2 * a * b + Self.luminance) * (2 * covariance + Self.contrast)
        / ((a * a + b * b + Self.luminance) * (varianceX + varianceY + Self.contrast))
    }
    return sum / Double(meanX.count)
  }

  /// The weighted means of all whole windows, row-major.
  private func smoothed(_ plane: [Double]) -> [Double] {
    let (height, width) = (layout.height, layout.width)
    let (rows, columns) = (height - Self.window + 1, width - Self.window + 1)
    var along = [Double](repeating: 0, count: height * columns)
    for row in 0..<height {
      for column in 0..<columns {
        var sum = 0.0
        for (offset, weight) in weights.enumerated() {
          sum += weight * plane[row * width + column + offset]
        }
        along[row * columns + column] = sum
      }
    }
    var result = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = 0.0
        for (offset, weight) in weights.enumerated() {
          sum += weight * along[(row + offset) * columns + column]
        }
        result[row * columns + column] = sum
      }
    }
    return result
  }
}
