internal import Networks
internal import Tensors

/// How many independent rows a matrix has, above its rounding noise.
struct NumericalRank {
  /// A lower bound on the rank.
  var rank: Int
  /// The largest rank that could have been seen.
  var limit: Int
  /// The relative size below which a singular value counts as rounding.
  var tolerance: Double

  /// Projects the rows onto random directions and counts eigenvalues of their Gram matrix.
  ///
  /// - Parameters:
  ///   - matrix: any matrix.
  ///   - unitRoundoff: of the stored numbers.
  ///   - limit: directions; the rank is reported as at least this if all of them survive.
  /// - Complexity: *limit* products with the matrix. Singular values below 1e-7 of the largest drown
  ///   in the Gram matrix and are not counted, so the result is a lower bound.
  init(of matrix: Matrix, unitRoundoff: Double, limit: Int) {
    let count = min(limit, matrix.outputs, matrix.inputs)
    var generator = SplitMix64(seed: 7)
    let columns = (0..<count).map { _ in
      matrix((0..<matrix.inputs).map { _ in generator.nextUniform() })
    }
    let gram = columns.map { a in columns.map { a.dot($0) } }
    let values = SymmetricEigenvalues.of(gram).map { max($0, 0).squareRoot() }.sorted(by: >)
    let largest = values.first ?? 0
    tolerance = max(
      Double(max(matrix.outputs, matrix.inputs)) * 2 * unitRoundoff, 1e-7)
    let tolerance = tolerance
    rank = largest > 0 ? values.count { $0 > tolerance * largest } : 0
    self.limit = count
  }
}

/// Eigenvalues of a small symmetric matrix by cyclic Jacobi rotations.
///
/// - Source: Golub & Van Loan, *Matrix Computations*, 4th edition, §8.5.
enum SymmetricEigenvalues {
  static func of(_ matrix: [[Double]]) -> [Double] {
    var a = matrix
    let n = a.count
    for _ in 0..<40 {
      var off = 0.0
      for p in 0..<n { for q in 0..<n where p != q { off += a[p][q] * a[p][q] } }
      let diagonal = (0..<n).reduce(0) { $0 + a[$1][$1] * a[$1][$1] }
      guard off > 1e-30 * diagonal, diagonal.isFinite else { break }
      for p in 0..<n { for q in (p + 1)..<max(n, p + 1) { rotate(&a, p, q) } }
    }
    return (0..<n).map { a[$0][$0] }
  }

  private static func rotate(_ a: inout [[Double]], _ p: Int, _ q: Int) {
    guard a[p][q] != 0 else { return }
    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    for k in a.indices {
      let (x, y) = (a[k][p], a[k][q])
      a[k][p] = c * x - s * y
      a[k][q] = s * x + c * y
    }
    for k in a.indices {
      let (x, y) = (a[p][k], a[q][k])
      a[p][k] = c * x - s * y
      a[q][k] = s * x + c * y
    }
  }
}
