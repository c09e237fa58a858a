internal import LinearAlgebra

/// The input whose patches explain a weight gradient best, from an approximate beginning.
///
/// Alternates between the coefficients and the input, each a linear least-squares problem with
/// the other fixed. In the coordinates of `PatchSpace` both are small.
struct PatchFit {
  /// `Uᵀ Z`: positions × positions.
  private(set) var coefficients: DenseMatrix
  /// Values read × inputs.
  private(set) var input: DenseMatrix
  private(set) var residual: Double
  private(set) var excess: Double

  /// - Parameters:
  ///   - space: the row space.
  ///   - places: a vector for each position.
  ///   - roundLimit: of the alternation, which ends when the residual's square falls by less than a
  ///     thousandth.
  /// - Throws: what a decomposition throws.
  init(
    _ space: PatchSpace, places: DenseMatrix, roundLimit: Int = 6
  ) throws(PatchWalkFailure) {
    let (map, window) = (space.map, space.window)
    let (reads, extents) = (map.reads, map.inputExtents)
    let count = extents[0] * extents[1]
    input = Self.mean(of: places * window, reads, count: count, inputs: map.inputs)
    coefficients = DenseMatrix(rows: 0, columns: 0)
    var square = Double.infinity
    let parameters = map.positions * map.positions + count * map.inputs
    let freedom = Double(max(window.elements.count - parameters, 1))
    for round in 1...roundLimit {
      guard input.isFinite else { break }
      let patches = Self.patches(of: input, reads)
      let next = try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
        try QRDecomposition(patches.transposed).solve(window.transposed).transposed
      }
      let fitted = next * patches
      let difference = zip(fitted.elements, window.elements).map { $0 - $1 }
      let now = difference.dot(difference)
      // A singular triangle: these places cannot be told apart.
      guard now.isFinite, next.isFinite else { break }
      coefficients = next
      let gained = square - now
      square = now
      // The alternation is slow, but most of what it gains it gains at first.
      if gained < 1e-3 * now || round == roundLimit { break }
      input = try Self.input(next, window, reads, count: count, inputs: map.inputs)
    }
    // Infinite where not even the first round came to an end.
    excess = (square / freedom).squareRoot() / max(space.noise, .leastNormalMagnitude)
    residual = ((square + space.rest) / space.square).squareRoot()
  }

  /// The patches of an input: positions × taps · inputs.
  static func patches(of input: DenseMatrix, _ reads: [[Int?]]) -> DenseMatrix {
    var elements: [Double] = []
    let positions = reads.first?.count ?? 0
    elements.reserveCapacity(reads.count * positions * input.columns)
    for indices in reads {
      for channel in 0..<input.columns {
        for index in indices {
          elements.append(index.map { input.elements[channel * input.rows + $0] } ?? 0)
        }
      }
    }
    return DenseMatrix(
      rows: positions, columns: reads.count * input.columns, elements: elements)
  }

  /// The input by the mean over all patches that hold a value.
  private static func mean(
    of patches: DenseMatrix, _ reads: [[Int?]], count: Int, inputs: Int
  ) -> DenseMatrix {
    var sums = [Double](repeating: 0, count: count * inputs)
    var times = [Double](repeating: 0, count: count)
    for (tap, indices) in reads.enumerated() {
      for (position, index) in indices.enumerated() {
        guard let index else { continue }
        times[index] += 1
        for channel in 0..<inputs {
          sums[channel * count + index] +=
            patches.elements[(tap * inputs + channel) * patches.rows + position]
        }
      }
    }
    for at in sums.indices { sums[at] /= max(times[at % count], 1) }
    return DenseMatrix(rows: count, columns: inputs, elements: sums)
  }

  /// The input for fixed coefficients: one least-squares problem for all channels.
  private static func input(
    _ coefficients: DenseMatrix, _ window: DenseMatrix, _ reads: [[Int?]], count: Int, inputs: Int
  ) throws(PatchWalkFailure) -> DenseMatrix {
    let rows = coefficients.rows
    var equations = [Double](repeating: 0, count: reads.count * rows * count)
    var right = [Double](repeating: 0, count: reads.count * rows * inputs)
    for (tap, indices) in reads.enumerated() {
      for (position, index) in indices.enumerated() {
        guard let index else { continue }
        let start = index * reads.count * rows + tap * rows
        for r in 0..<rows {
          equations[start + r] = coefficients.elements[position * rows + r]
        }
      }
      for channel in 0..<inputs {
        let (to, from) = ((channel * reads.count + tap) * rows, (tap * inputs + channel) * rows)
        for r in 0..<rows { right[to + r] = window.elements[from + r] }
      }
    }
    let height = reads.count * rows
    return try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
      try QRDecomposition(DenseMatrix(rows: height, columns: count, elements: equations)).solve(
        DenseMatrix(rows: height, columns: inputs, elements: right))
    }
  }
}
