package import LinearAlgebra

/// The slopes of a piecewise-linear activation under global average pooling.
///
/// Every position of a channel receives the same gradient, so the weight gradient divided by it is
/// `Q = Z R` with `Z` the slope at every position: 0 or 1 for ReLU, the leak or 1 for leaky ReLU.
///
/// - Source: no paper; described in Documentation/Attacks.md.
package struct GlobalPoolingMask: Sendable {
  /// The slopes, outputs × positions, each one of the levels.
  package let slopes: DenseMatrix
  /// The greatest difference between an entry before rounding and its level.
  package let distance: Double

  /// Rounds what a walk has found.
  ///
  /// - Parameters:
  ///   - walk: over the weight gradient whose rows were divided by the channels' gradients.
  ///   - levels: the slopes that the activation has, the largest the one that sets the scale.
  ///   - sums: for every output the sum of its slopes, which is the gradient of its bias divided by
  ///     its channel's gradient; `nil` for an output that does not say.
  /// - Throws: `notDiscrete` for an entry farther from every level than an eighth of what separates
  ///   them; `wrongSum`.
  package init(
    _ walk: PatchWalk, levels: [Double] = [0, 1], sums: [Double?]? = nil
  ) throws(PatchWalkFailure) {
    let top = levels.reduce(0) { abs($1) > abs($0) ? $1 : $0 }
    try self.init(
      columns: walk.coefficients.scaled(by: top), levels: levels, sums: sums, fitsScale: true)
  }

  /// Rounds columns whose scale is right, or nearly.
  init(
    columns: DenseMatrix, levels: [Double], sums: [Double?]?, fitsScale: Bool
  ) throws(PatchWalkFailure) {
    precondition(levels.count > 1, "an activation with one slope hides nothing")
    let gaps = zip(levels.sorted().dropFirst(), levels.sorted()).map { $0 - $1 }
    let gap = gaps.min() ?? 0
    var columns = columns
    var rounded = Self.rounded(columns, levels)
    if fitsScale {
      // The largest entry set the scale with its own error; all entries together know better.
      let square = columns.elements.dot(columns.elements)
      columns = columns.scaled(by: rounded.elements.dot(columns.elements) / square)
      rounded = Self.rounded(columns, levels)
    }
    let distance = zip(columns.elements, rounded.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
    guard distance <= gap / 8 else { throw .notDiscrete(distance: distance) }
    for (output, sum) in (sums ?? []).enumerated() {
      let found = rounded.row(output).reduce(0, +)
      // Another mask differs by one gap at least.
      guard let sum, abs(found - sum) > gap / 4 else { continue }
      throw .wrongSum(output: output, found: found, expected: sum)
    }
    slopes = rounded
    self.distance = distance
  }

  private static func rounded(_ columns: DenseMatrix, _ levels: [Double]) -> DenseMatrix {
    DenseMatrix(
      rows: columns.rows, columns: columns.columns,
      elements: columns.elements.map { entry in
        levels.min { abs($0 - entry) < abs($1 - entry) } ?? entry
      })
  }
}
