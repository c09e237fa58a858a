package import LinearAlgebra

/// Which patch of a zero-padded convolution's input produced which part of its weight gradient.
///
/// The gradient is a product `Q = Z R`, with the output gradient `Z` (outputs × positions) and the
/// patches `R` (positions × taps · inputs). From `Q = U W` of rank *positions*, a position is a
/// vector `v` with `v W` its patch. Patches of neighbours overlap, and beyond the border is zero:
/// a corner is the one `v` whose outer taps are all zero, and every further position follows
/// from its neighbours by linear least squares. The result is refined until `Z R` fits `Q` best
/// among all `R` that are the patches of one input.
///
/// - Exact when: the input's values at all positions are in general position and every position
///   carries a gradient. The error is about the relative error of `Q` times the condition of `Z`.
/// - Complexity: a singular value decomposition of `Q`, then about 10 factorisations of
///   `taps · inputs` × positions.
/// - Source: no paper; described in Documentation/Attacks.md.
package struct PatchWalk: Sendable {
  package let map: Map
  /// `Z` up to one common factor, its largest entry 1.
  ///
  /// - Shape: outputs × positions, positions row-major.
  package let coefficients: DenseMatrix
  /// The input of the convolution up to the inverse factor.
  ///
  /// Zero where no position with a gradient reads.
  ///
  /// - Shape: values that the positions read, row-major, × inputs.
  package let input: DenseMatrix
  /// The smallest singular value at the corner divided by the next: 0 without noise.
  ///
  /// Of the padded corners that agree with the whole map, the one that stands out most.
  package let cornerGap: Double
  /// The numerical rank of `Q`: how many positions carry a gradient.
  package let rank: Int
  /// The positions without a gradient, ascending.
  package let silent: [Int]
  /// What `Z R` leaves unexplained, relative to `Q`.
  package let residual: Double
  /// The root mean square of what overlapping patches leave unexplained, divided by the noise: about
  /// 1 when right.
  package let excess: Double

  /// The gap of a corner that does not stand out.
  package static let greatestGap = 1e-2
  /// The excess of a fit that is not explained by noise.
  package static let greatestExcess = 4.0

  /// - Parameters:
  ///   - q: outputs × taps · inputs; column `tap · inputs + channel`, taps row-major.
  ///   - map: the geometry.
  ///   - tolerance: the standard error of an entry of `q`, relative to their root mean square: 6e-8
  ///     for numbers stored in single precision. Understated, the rank comes out too high;
  ///     overstated, too low. Both are failures.
  ///   - allowsSilentPositions: whether some positions may carry no gradient in any output, as under
  ///     max pooling. Which, is then found too; an overstated tolerance may silence weak ones.
  /// - Throws: the reason why there is no walk.
  package init(
    _ q: DenseMatrix, _ map: Map, tolerance: Double, allowsSilentPositions: Bool = false
  ) throws(PatchWalkFailure) {
    precondition(q.columns == map.taps * map.inputs)
    let needed = allowsSilentPositions ? 1 : map.positions
    if let obstacle = map.obstacle(outputs: q.rows, positions: needed) { throw obstacle }
    let space = try PatchSpace(
      q, map, tolerance: tolerance, allowsSilentPositions: allowsSilentPositions)
    var corners: [(corner: Corner, start: [Double], gap: Double)] = []
    for corner in Corner.all(of: map) {
      let (start, gap) = try space.start(at: corner)
      corners.append((corner, start, gap))
    }
    corners.sort { $0.gap < $1.gap }
    guard let least = corners.first?.gap else { throw .noPadding }
    guard least <= Self.greatestGap else { throw .ambiguousCorner(gap: least) }
    var best: (fit: PatchFit, active: [Int], gap: Double)?
    for (corner, start, gap) in corners where gap <= Self.greatestGap {
      guard let (fit, active) = try space.fit(from: corner, start: start) else { continue }
      if fit.excess < best?.fit.excess ?? .infinity { best = (fit, active, gap) }
      if fit.excess <= Self.greatestExcess { break }
    }
    guard let (fit, active, gap) = best, fit.excess <= Self.greatestExcess else {
      throw .inconsistent(excess: best?.fit.excess ?? .infinity)
    }
    let found = space.left * fit.coefficients
    let largest = found.elements.reduce(0) { abs($1) > abs($0) ? $1 : $0 }
    guard largest != 0, largest.isFinite else { throw .inconsistent(excess: .infinity) }
    var coefficients = DenseMatrix(rows: q.rows, columns: 0)
    for position in 0..<map.positions {
      let column = active.firstIndex(of: position).map { found.columns($0..<$0 + 1) }
      coefficients = coefficients.beside(column ?? DenseMatrix(rows: q.rows, columns: 1))
    }
    self.map = map
    self.coefficients = coefficients.scaled(by: 1 / largest)
    input = fit.input.scaled(by: largest)
    cornerGap = gap
    rank = space.rank
    silent = (0..<map.positions).filter { !active.contains($0) }
    residual = fit.residual
    excess = fit.excess
  }
}

extension PatchSpace {
  /// All positions from a corner, refined; `nil` where the way from it ends early.
  fileprivate func fit(
    from corner: PatchWalk.Corner, start: [Double]
  ) throws(PatchWalkFailure) -> (fit: PatchFit, active: [Int])? {
    guard rank < map.positions else {
      let places = try walk(from: corner, start: start)
      return (try PatchFit(self, places: places), Array(0..<map.positions))
    }
    guard let growth = try PatchGrowth(self, from: corner, start: start) else { return nil }
    let fit = try PatchFit(self, places: growth.places, active: growth.active)
    return (fit, growth.active)
  }
}
