private import CLAPACK

/// The thin singular value decomposition `A = U S Vᵀ`.
///
/// - Shape: for `A` of m × n and k = min(m, n): `left` m × k, `rightTransposed` k × n.
/// - Complexity: about 4 m n² + 22 n³ multiply-adds for m ≥ n; much taller matrices are first reduced
///   to their triangular factor.
/// - Source: Gu & Eisenstat 1995, *A divide-and-conquer algorithm for the bidiagonal SVD* (dgesdd).
package struct SingularValueDecomposition: Sendable {
  package let left: DenseMatrix
  /// Descending.
  package let values: [Double]
  package let rightTransposed: DenseMatrix

  /// - Throws: `notFinite`; `notConverged` where even QR iteration fails.
  package init(_ a: DenseMatrix) throws(LinearAlgebraError) {
    try a.requireFinite()
    do {
      try self.init(a, iterates: false)
    } catch .notConverged {
      try self.init(a, iterates: true)
    }
  }

  private init(_ a: DenseMatrix, iterates: Bool) throws(LinearAlgebraError) {
    let rank = min(a.rows, a.columns)
    var (input, values) = (a.elements, [Double](repeating: 0, count: rank))
    var left = DenseMatrix(rows: a.rows, columns: rank)
    var right = DenseMatrix(rows: rank, columns: a.columns)
    let work = Double(a.elements.count) * Double(rank)
    // Safe: every array has the shape that the declaration names.
    let info = unsafe leak_lapack_svd(
      iterates, Int32(a.rows), Int32(a.columns), &input, &values, &left.elements, &right.elements,
      Threads.count(for: work))
    try LinearAlgebraError.check(info, iterates ? "dgesvd" : "dgesdd")
    self.left = left
    self.values = values
    rightTransposed = right
  }

  /// How many singular values exceed `relativeTolerance` times the largest.
  package func rank(relativeTolerance: Double) -> Int {
    guard let largest = values.first, largest > 0 else { return 0 }
    return values.count { $0 > relativeTolerance * largest }
  }

  /// The inverse on the singular directions that count.
  ///
  /// - Shape: n × m.
  package func pseudoInverse(relativeTolerance: Double) -> DenseMatrix {
    let rank = rank(relativeTolerance: relativeTolerance)
    return rightTransposed.rows(0..<rank).transposeTimes(divided(left, rank).transposed)
  }

  /// The least-squares solution of `A x = b` of smallest norm, column by column.
  ///
  /// - Shape: `b` m × r, result n × r.
  package func solve(_ b: DenseMatrix, relativeTolerance: Double) -> DenseMatrix {
    let rank = rank(relativeTolerance: relativeTolerance)
    return rightTransposed.rows(0..<rank).transposeTimes(divided(left, rank).transposeTimes(b))
  }

  /// An orthonormal basis of all vectors that `A` sends to zero, up to the tolerance.
  ///
  /// - Shape: n × (n − rank), also where `A` has fewer rows than columns.
  package func nullSpace(relativeTolerance: Double) -> DenseMatrix {
    let (rank, size) = (rank(relativeTolerance: relativeTolerance), rightTransposed.columns)
    guard rightTransposed.rows < size else {
      return rightTransposed.rows(rank..<size).transposed
    }
    let seen = QRDecomposition(finite: rightTransposed.rows(0..<rank).transposed)
    return seen.complement()
  }

  /// The first columns, each divided by its singular value.
  private func divided(_ left: DenseMatrix, _ rank: Int) -> DenseMatrix {
    var result = left.columns(0..<rank).elements
    for c in 0..<rank {
      for at in c * left.rows..<(c + 1) * left.rows { result[at] /= values[c] }
    }
    return DenseMatrix(rows: left.rows, columns: rank, elements: result)
  }
}
