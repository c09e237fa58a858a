package import LinearAlgebra

/// The columns of slopes in the column space of a weight gradient, found by trying all.
///
/// For a kernel of 1 × 1 positions have no neighbours, but the columns of `Z` in `Q = Z R` have only
/// two values. Positions × positions rows of `Q` fix a vector of its column space, so all
/// assignments of two values to these rows are tried; the other rows tell which are right. Where all
/// that is active at one position is active at another, as at neighbours in a flat region, their
/// difference has two values as well. Of a few columns too many, those go that the sums do not hold.
///
/// - Exact when: no further vector of two values lies in the column space, which with random masks and a
///   few more outputs than positions is so, or the sums tell it.
/// - Complexity: 2ⁿ steps of 4 multiply-adds for n positions, beside a decomposition of `Q`.
/// - Source: no paper; described in Documentation/Attacks.md.
package struct PositionEnumeration: Sendable {
  /// The slopes, outputs × positions, each one of the levels.
  ///
  /// Which column belongs to which position is unknown; columns are in ascending order of their
  /// entries, row by row.
  package let slopes: DenseMatrix
  /// The greatest difference between an entry before rounding and its level.
  package let distance: Double

  package static let positionLimit = 20
  /// With more columns too many, the sums are not asked.
  private static let surplusLimit = 4

  /// - Parameters:
  ///   - q: the weight gradient, outputs × inputs, its rows divided by the channels' gradients.
  ///   - positions: of the map.
  ///   - levels: the two slopes of the activation.
  ///   - sums: as for `GlobalPoolingMask`.
  ///   - tolerance: as for `PatchWalk`.
  /// - Throws: the reason why there is no unique answer.
  package init(
    _ q: DenseMatrix, positions: Int, levels: [Double] = [0, 1], sums: [Double?]? = nil,
    tolerance: Double
  ) throws(PatchWalkFailure) {
    precondition(levels.count == 2)
    guard positions <= Self.positionLimit else {
      throw .tooManyPositions(positions, limit: Self.positionLimit)
    }
    let map = PatchWalk.Map(
      height: 1, width: positions, kernel: [1, 1], low: [0, 0], high: [0, 0], inputs: q.columns)
    let space = try PatchSpace(q, map, tolerance: tolerance)
    let (low, high) = (levels.min() ?? 0, levels.max() ?? 0)
    let basis = try Self.basis(space.left)
    let all = Self.assignments(basis, low: low, high: high)
    let chosen = Self.chosen(all, positions, sums ?? [], within: (high - low) / 4)
    guard let columns = chosen else {
      throw .columns(found: all.count, positions: positions)
    }
    let found = DenseMatrix(
      rows: q.rows, columns: positions, elements: columns.flatMap { $0 })
    let mask = try GlobalPoolingMask(columns: found, levels: levels, sums: sums, fitsScale: false)
    let sorted = (0..<positions).map(mask.slopes.column).sorted { $0.lexicographicallyPrecedes($1) }
    slopes = DenseMatrix(rows: q.rows, columns: positions, elements: sorted.flatMap { $0 })
    distance = mask.distance
  }

  /// So many columns as there are positions, of those that have permitted values.
  ///
  /// - Returns: The only choice whose rows add up to what biases observed; `nil` if there is none, or more.
  private static func chosen(
    _ all: [[Double]], _ positions: Int, _ sums: [Double?], within tolerance: Double
  ) -> [[Double]]? {
    let surplus = all.count - positions
    if surplus == 0 { return all }
    guard 1...surplusLimit ~= surplus else { return nil }
    let outputs = sums.indices.filter { sums[$0] != nil }
    guard !outputs.isEmpty else { return nil }
    // What the columns that are too many add up to.
    let excess = outputs.map { output in
      all.reduce(0) { $0 + $1[output] } - (sums[output] ?? 0)
    }
    var answers: [[Int]] = []
    func search(_ rest: [Double], _ dropped: [Int]) {
      if dropped.count == surplus {
        if rest.allSatisfy({ abs($0) <= tolerance }) { answers.append(dropped) }
        return
      }
      for next in (dropped.last ?? -1) + 1..<all.count {
        search(outputs.indices.map { rest[$0] - all[next][outputs[$0]] }, dropped + [next])
      }
    }
    search(excess, [])
    guard answers.count == 1 else { return nil }
    return all.indices.filter { !answers[0].contains($0) }.map { all[$0] }
  }

  /// A basis of the column space that is the identity on as many rows, followed by the rows in the
  /// order in which they are best tested.
  private static func basis(
    _ left: DenseMatrix
  ) throws(PatchWalkFailure) -> (columns: DenseMatrix, testRows: [Int]) {
    let order = try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
      try PivotOrder(left.transposed)
    }
    let size = left.columns
    let pivots = left.rows(at: Array(order.columns[..<size]))
    let columns = try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
      try QRDecomposition(pivots.transposed).solve(left.transposed).transposed
    }
    return (columns, Array(order.columns[size...]))
  }

  /// All vectors of the column space with two values, but not zero, in Gray code's order.
  ///
  /// An entry may be off by an eighth of what tells the levels from each other and from zero: the
  /// vector of low levels times the low level must not pass for another.
  private static func assignments(
    _ basis: (columns: DenseMatrix, testRows: [Int]), low: Double, high: Double
  ) -> [[Double]] {
    let size = basis.columns.columns
    let gap = high - low
    let slack = [gap, abs(low), abs(high)].filter { $0 > 0 }.reduce(gap, min) / 8
    // Four rows at once reject nearly all.
    let first = Array(basis.testRows.prefix(4))
    let steps = (0..<size).map { c in
      var step = SIMD4<Double>.zero
      for (lane, row) in first.enumerated() { step[lane] = basis.columns[row, c] * gap }
      return step
    }
    var now = SIMD4<Double>.zero
    for step in steps { now += step * (low / gap) }
    // Lanes without a row stay on a level.
    for lane in first.count..<4 { now[lane] = low }
    var (isHigh, found) = (Array(repeating: false, count: size), [] as [[Double]])
    for code in 0..<(UInt32(1) << UInt32(size)) {
      if code > 0 {
        let bit = code.trailingZeroBitCount
        isHigh[bit].toggle()
        now += isHigh[bit] ? steps[bit] : -steps[bit]
      }
      let (fromLow, fromHigh) = (now - low, now - high)
      let isLow = fromLow * fromLow .< slack * slack
      guard all(isLow .| (fromHigh * fromHigh .< slack * slack)) else { continue }
      let column = basis.columns(isHigh.map { $0 ? high : low })
      let fits = column.allSatisfy { min(abs($0 - low), abs($0 - high)) < slack }
      if fits, column.contains(where: { abs($0) > slack / 2 }) { found.append(column) }
      // A file may be made so that all fit.
      if found.count > size + surplusLimit { break }
    }
    return found
  }
}
