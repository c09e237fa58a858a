package import LinearAlgebra

/// Which position won every window of a max pooling above a convolution.
///
/// Only the winner of a window receives its gradient: `Q[o] = Σ_w h̄[o, w] · R[winner(o, w)]`, with `h̄`
/// known. A walk over `Q` finds these gradients up to one factor, which `h̄` fixes. It should allow
/// silent positions: some may win nowhere.
///
/// - Source: no paper; described in Documentation/Attacks.md.
package struct PoolingWinners: Sendable {
  /// Windows that do not overlap and together are the whole map of the walk.
  package struct Windows: Sendable, Equatable {
    package let height: Int
    package let width: Int

    /// - Precondition: positive extents.
    package init(height: Int, width: Int) {
      precondition(height > 0 && width > 0)
      self.height = height
      self.width = width
    }
  }

  /// The gradient of the convolution's outputs: 0, or that of the window.
  ///
  /// - Shape: outputs × positions, positions row-major.
  package let gradient: DenseMatrix
  /// The root mean square of what rounding to these values changed, relative to them.
  package let distance: Double
  /// Windows without a winner, over all outputs: nothing in them was above zero.
  package let inactive: Int
  /// Windows whose gradient is too small to tell the winner above the noise, over all outputs.
  package let undecided: Int

  /// - Parameters:
  ///   - walk: over the weight gradient.
  ///   - pooled: `h̄`, outputs × windows, windows row-major, in the units of the weight gradient.
  ///   - windows: their extents.
  /// - Throws: `notDiscrete` where an entry is neither 0 nor `h̄`, or all together differ by more than
  ///   a hundredth; `severalWinners`.
  package init(
    _ walk: PatchWalk, pooled: DenseMatrix, windows: Windows
  ) throws(PatchWalkFailure) {
    let (map, found) = (walk.map, walk.coefficients)
    precondition(map.height % windows.height == 0 && map.width % windows.width == 0)
    let across = map.width / windows.width
    precondition(pooled.rows == found.rows)
    precondition(pooled.columns == map.height / windows.height * across)
    let windowOf = (0..<map.positions).map {
      $0 / map.width / windows.height * across + $0 % map.width / windows.width
    }
    let targets = pooled.columns(at: windowOf)
    var scale = Self.scale(found.elements, targets.elements)
    var snapped = Self.snapped(found.elements, targets.elements, scale)
    scale = snapped.dot(snapped) / snapped.dot(found.elements)
    guard scale.isFinite else { throw .notDiscrete(distance: .infinity) }
    snapped = Self.snapped(found.elements, targets.elements, scale)

    let differences = zip(found.elements, snapped).map { scale * $0 - $1 }
    distance = differences.euclideanNorm / max(snapped.euclideanNorm, .leastNormalMagnitude)
    guard distance <= 1e-2 else { throw .notDiscrete(distance: distance) }
    let error = (differences.dot(differences) / Double(max(differences.count, 1))).squareRoot()
    let gradient = DenseMatrix(rows: found.rows, columns: map.positions, elements: snapped)
    // A gradient so far above the error of an entry is told from zero with certainty.
    let certain = 8 * error
    for (difference, target) in zip(differences, targets.elements)
    where abs(difference) > max(abs(target) / 4, certain) {
      throw .notDiscrete(distance: abs(difference / target))
    }
    var (inactive, undecided) = (0, 0)
    for output in 0..<found.rows {
      var winners = Array(repeating: 0, count: pooled.columns)
      for (position, window) in windowOf.enumerated() where gradient[output, position] != 0 {
        winners[window] += 1
      }
      for (window, count) in winners.enumerated() {
        if abs(pooled[output, window]) <= certain {
          undecided += 1
        } else if count > 1 {
          throw .severalWinners(output: output, window: window)
        } else if count == 0 {
          inactive += 1
        }
      }
    }
    self.gradient = gradient
    self.inactive = inactive
    self.undecided = undecided
  }

  /// The factor that brings most of the large entries to their windows' gradients: the median ratio
  /// of the largest tenth.
  private static func scale(_ found: [Double], _ targets: [Double]) -> Double {
    let order = found.indices.sorted { abs(found[$0]) > abs(found[$1]) }
    let ratios = order.prefix(max(order.count / 10, 1)).map { targets[$0] / found[$0] }.sorted()
    return ratios[ratios.count / 2]
  }

  /// Every entry's nearer value of 0 and its window's gradient.
  private static func snapped(
    _ found: [Double], _ targets: [Double], _ scale: Double
  ) -> [Double] {
    zip(found, targets).map { abs(scale * $0 - $1) < abs(scale * $0) ? $1 : 0 }
  }
}
