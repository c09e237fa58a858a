private import CLAPACK

/// The lower factor `L` of a symmetric positive definite matrix `L Lᵀ`.
///
/// - Complexity: n³ / 6 multiply-adds; n² for each right-hand side.
package struct CholeskyDecomposition: Sendable {
  /// The factor, zero above its diagonal.
  package let lower: DenseMatrix

  /// Reads the lower triangle.
  ///
  /// - Returns: `nil` if the matrix is not positive definite in floating point, or not finite.
  /// - Precondition: the matrix is square.
  package init?(_ a: DenseMatrix) {
    precondition(a.rows == a.columns)
    guard a.isFinite else { return nil }
    var lower = a
    // Safe: the matrix is square.
    let info = unsafe leak_lapack_cholesky(
      Int32(a.rows), &lower.elements, Self.threads(a.rows, a.rows))
    guard info == 0 else { return nil }
    self.lower = lower
  }

  package func solve(_ b: [Double]) -> [Double] { lowerTransposeSolve(lowerSolve(b)) }

  /// Column by column.
  package func solve(_ b: DenseMatrix) -> DenseMatrix {
    precondition(b.rows == lower.rows)
    let half = triangular(b.elements, columns: b.columns, transposed: false)
    return DenseMatrix(
      rows: b.rows, columns: b.columns,
      elements: triangular(half, columns: b.columns, transposed: true))
  }

  /// `L⁻¹ b`.
  package func lowerSolve(_ b: [Double]) -> [Double] {
    triangular(b, columns: 1, transposed: false)
  }

  /// `L⁻ᵀ b`.
  package func lowerTransposeSolve(_ b: [Double]) -> [Double] {
    triangular(b, columns: 1, transposed: true)
  }

  /// The inverse of the matrix, exactly symmetric.
  package func inverse() -> DenseMatrix {
    var result = lower
    // Safe: the factor is square.
    let info = unsafe leak_lapack_cholesky_inverse(
      Int32(lower.rows), &result.elements, Self.threads(lower.rows, lower.rows))
    precondition(info == 0, "a factor has no zero on its diagonal")
    return result
  }

  private func triangular(_ b: [Double], columns: Int, transposed: Bool) -> [Double] {
    precondition(b.count == lower.rows * columns)
    var result = b
    // Safe: `result` has `columns` columns of the factor's height.
    unsafe leak_blas_triangular(
      false, transposed, Int32(lower.rows), Int32(columns), lower.elements, Int32(lower.rows),
      &result, Self.threads(lower.rows, columns))
    return result
  }

  private static func threads(_ size: Int, _ columns: Int) -> Int32 {
    Threads.count(for: Double(size) * Double(size) * Double(columns) / 6)
  }
}
