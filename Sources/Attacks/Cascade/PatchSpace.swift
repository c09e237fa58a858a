internal import LinearAlgebra

/// The row space of a weight gradient, in which every position of the map is a vector.
struct PatchSpace {
  let map: PatchWalk.Map
  /// How many positions carry a gradient.
  let rank: Int
  /// `U`: outputs × rank, orthonormal.
  let left: DenseMatrix
  /// `W = Uᵀ Q`: rank × taps · inputs.
  let window: DenseMatrix
  /// The standard error of an entry of `Q`: as stated, or larger where `Q` itself shows it.
  let noise: Double
  /// The sums of squares of `Q`, and of what `U W` leaves out.
  let square: Double
  let rest: Double

  /// - Throws: `rank` where it is not the number of positions, or where it exceeds it if some may be
  ///   silent; `tooFewOutputs` where these limit the rank.
  init(
    _ q: DenseMatrix, _ map: PatchWalk.Map, tolerance: Double, allowsSilentPositions: Bool = false
  ) throws(PatchWalkFailure) {
    let svd = try ReducedDecomposition(q.transposed).triangle
    let (rows, columns) = (Double(q.rows), Double(q.columns))
    square = svd.values.dot(svd.values)
    let error = tolerance * (square / (rows * columns)).squareRoot()
    // A matrix of noise has no singular value above that (Davidson & Szarek 2001), but for 1.5.
    let threshold = 1.5 * error * (rows.squareRoot() + columns.squareRoot())
    let rank = svd.values.count { $0 > max(threshold, 1e-14 * (svd.values.first ?? 0)) }
    guard rank == map.positions || (allowsSilentPositions && 0..<map.positions ~= rank - 1) else {
      throw .rank(rank, positions: map.positions)
    }
    guard rank == map.positions || rank < q.rows else {
      throw .tooFewOutputs(outputs: q.rows, positions: map.positions)
    }
    let tail = Array(svd.values[rank...])
    rest = tail.dot(tail)
    let freedom = max((rows - Double(rank)) * (columns - Double(rank)), 1)
    noise = max(error, (rest / freedom).squareRoot())
    self.map = map
    self.rank = rank
    left = svd.rightTransposed.rows(0..<rank).transposed
    window = left.transposeTimes(q)
  }

  /// The columns of `W` that belong to these taps.
  func columns(_ taps: [Int]) -> DenseMatrix {
    window.columns(at: taps.flatMap { $0 * map.inputs..<($0 + 1) * map.inputs })
  }

  /// The vector of the corner position, and how far it stands out.
  func start(
    at corner: PatchWalk.Corner
  ) throws(PatchWalkFailure) -> (vector: [Double], gap: Double) {
    guard rank > 1 else { return ([1], 0) }
    let border = columns(corner.borderTaps).transposed
    let svd = try ReducedDecomposition(border).triangle
    guard svd.values.count == rank else { return (svd.rightTransposed.row(0), 1) }
    let (last, next) = (svd.values[rank - 1], svd.values[rank - 2])
    return (svd.rightTransposed.row(rank - 1), next > 0 ? last / next : 1)
  }

  /// The vectors of all positions, each from its neighbours nearer to the corner.
  ///
  /// Along the two sides of the corner the padding is a further equation.
  ///
  /// - Precondition: every position carries a gradient.
  /// - Returns: positions × positions, a row for each.
  func walk(
    from corner: PatchWalk.Corner, start: [Double]
  ) throws(PatchWalkFailure) -> DenseMatrix {
    let (down, across) = (corner.overlaps(0), corner.overlaps(1))
    let none = DenseMatrix(rows: map.positions, columns: 0)
    let steps = (
      down: try step([down], zero: map.width > 1 ? corner.borderTaps(1) : []),
      across: try step([across], zero: map.height > 1 ? corner.borderTaps(0) : []),
      both: map.height > 1 && map.width > 1 ? try step([down, across], zero: []) : [none, none]
    )
    var vectors: [[Double]] = Array(repeating: start, count: map.positions)
    for i in 0..<map.height {
      for j in 0..<map.width where i + j > 0 {
        let above = i > 0 ? vectors[corner.position(i - 1, j)] : []
        let before = j > 0 ? vectors[corner.position(i, j - 1)] : []
        vectors[corner.position(i, j)] =
          if i == 0 {
            steps.across[0](before)
          } else if j == 0 {
            steps.down[0](above)
          } else {
            zip(steps.both[0](above), steps.both[1](before)).map { $0 + $1 }
          }
      }
    }
    return DenseMatrix(
      rows: map.positions, columns: map.positions, elements: vectors.flatMap { $0 }
    ).transposed
  }

  /// For each overlap the matrix that a neighbour's vector contributes through to the next vector,
  /// which solves all overlaps and the zeros by least squares.
  private func step(
    _ overlaps: [(next: [Int], here: [Int])], zero: [Int]
  ) throws(PatchWalkFailure) -> [DenseMatrix] {
    let equations = columns(overlaps.flatMap(\.next) + zero).transposed
    let solver = try ReducedDecomposition(equations)
    var (before, result) = (0, [] as [DenseMatrix])
    for overlap in overlaps {
      let here = columns(overlap.here).transposed
      let above = DenseMatrix(rows: before, columns: here.columns)
      let below = DenseMatrix(
        rows: equations.rows - before - here.rows, columns: here.columns)
      let right = above.stacked(on: here).stacked(on: below)
      result.append(solver.solve(right))
      before += here.rows
    }
    return result
  }
}

/// A QR decomposition of a tall matrix, and the singular values of its triangle.
///
/// Cheaper than the singular value decomposition of the matrix by the left vectors, which nobody
/// asks for.
private struct ReducedDecomposition {
  let qr: QRDecomposition
  let triangle: SingularValueDecomposition

  init(_ a: DenseMatrix) throws(PatchWalkFailure) {
    do {
      qr = try QRDecomposition(a)
      triangle = try SingularValueDecomposition(qr.r)
    } catch {
      throw .algebra(error)
    }
  }

  /// The least-squares solution of smallest norm, directions of rounding left out.
  func solve(_ b: DenseMatrix) -> DenseMatrix {
    triangle.solve(
      qr.reflectTransposed(b).rows(0..<triangle.left.rows), relativeTolerance: 1e-13)
  }
}
