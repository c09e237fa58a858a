/// The factor `L` of a small symmetric positive definite matrix `L Lᵀ`.
///
/// - Source: Golub & Van Loan, *Matrix Computations*, 4th edition, §4.2.
struct CholeskyFactor {
  private var lower: [[Double]]

  /// - Returns: `nil` if the matrix is not positive definite beyond a condition of about 1e10.
  init?(_ matrix: [[Double]]) {
    let n = matrix.count
    var lower =
      Array(
        repeating: Array(repeating: 0.0, count: n), count: n) as [[Double]]
    for i in 0..<n {
      for j in 0...i {
        let sum = (0..<j).reduce(matrix[i][j]) { $0 - lower[i][$1] * lower[j][$1] }
        if i == j {
          guard sum > 1e-10 * matrix[i][i], sum.isFinite else { return nil }
          lower[i][i] = sum.squareRoot()
        } else {
          lower[i][j] = sum / lower[j][j]
        }
      }
    }
    self.lower = lower
  }

  func solve(_ right: [Double]) -> [Double] {
    var x = right
    for i in x.indices {
      x[i] = (0..<i).reduce(x[i]) { $0 - lower[i][$1] * x[$1] } / lower[i][i]
    }
    for i in x.indices.reversed() {
      x[i] = ((i + 1)..<x.count).reduce(x[i]) { $0 - lower[$1][i] * x[$1] } / lower[i][i]
    }
    return x
  }
}
