internal import LinearAlgebra

/// The input whose patches explain a weight gradient best, from an approximate beginning.
///
/// Alternates between the coefficients and the input, each a linear least-squares problem with
/// the other fixed. In the coordinates of `PatchSpace` both are small.
struct PatchFit {
  /// `Uᵀ Z`: rank × places.
  private(set) var coefficients: DenseMatrix
  /// Values read × inputs.
  private(set) var input: DenseMatrix
  private(set) var residual: Double
  private(set) var excess: Double

  /// - Parameters:
  ///   - space: the row space.
  ///   - places: a vector for each position that carries a gradient.
  ///   - active: these positions; all if there is nothing here.
  ///   - roundLimit: of the alternation, which ends when the residual's square falls by less than a
  ///     thousandth.
  /// - Throws: what a decomposition throws.
  init(
    _ space: PatchSpace, places: DenseMatrix, active: [Int]? = nil, roundLimit: Int = 6
  ) throws(PatchWalkFailure) {
    let (map, window) = (space.map, space.window)
    let (reads, seen) = Self.reads(map, active ?? Array(0..<map.positions))
    let count = seen.count
    input = Self.mean(of: places * window, reads, count: count, inputs: map.inputs)
    coefficients = DenseMatrix(rows: 0, columns: 0)
    var square = Double.infinity
    let parameters = space.rank * space.rank + count * map.inputs
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
    input = Self.spread(input, over: map.inputExtents.reduce(1, *), at: seen)
    // Infinite where not even the first round came to an end.
    excess = (square / freedom).squareRoot() / max(space.noise, .leastNormalMagnitude)
    residual = ((square + space.rest) / space.square).squareRoot()
  }

  /// What the active positions read, as indices into the list of input values that any reads.
  private static func reads(
    _ map: PatchWalk.Map, _ active: [Int]
  ) -> (reads: [[Int?]], seen: [Int]) {
    let reads = map.reads.map { indices in active.map { indices[$0] } }
    let seen = Set(reads.joined().compactMap(\.self)).sorted()
    let order = Dictionary(uniqueKeysWithValues: zip(seen, seen.indices))
    return (reads.map { $0.map { $0.flatMap { order[$0] } } }, seen)
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

  /// The input with zeros where nothing was read.
  private static func spread(_ input: DenseMatrix, over count: Int, at seen: [Int]) -> DenseMatrix {
    guard seen.count < count else { return input }
    var result = DenseMatrix(rows: count, columns: input.columns)
    for channel in 0..<input.columns {
      for (row, index) in seen.enumerated() { result[index, channel] = input[row, channel] }
    }
    return result
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
