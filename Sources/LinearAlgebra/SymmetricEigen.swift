private import CLAPACK

/// Eigenvalues and eigenvectors of a symmetric matrix.
///
/// - Complexity: about 9 n³ multiply-adds at worst.
/// - Source: LAPACK's divide and conquer, dsyevd.
package struct SymmetricEigen: Sendable {
  /// Ascending.
  package let values: [Double]
  /// Orthonormal columns in the order of `values`.
  package let vectors: DenseMatrix

  /// Reads the lower triangle.
  ///
  /// - Precondition: the matrix is square.
  /// - Throws: `notFinite`, `notConverged`.
  package init(_ a: DenseMatrix) throws(LinearAlgebraError) {
    precondition(a.rows == a.columns)
    try a.requireFinite()
    var (vectors, values) = (a, [Double](repeating: 0, count: a.rows))
    let work = Double(a.elements.count) * Double(a.rows)
    // Safe: the matrix is square, and `values` has a slot for each row.
    let info = unsafe leak_lapack_symmetric(
      Int32(a.rows), &vectors.elements, &values, Threads.count(for: work))
    try LinearAlgebraError.check(info, "dsyevd")
    self.values = values
    self.vectors = vectors
  }
}
