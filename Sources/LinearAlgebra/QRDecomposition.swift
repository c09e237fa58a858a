private import CLAPACK

/// The decomposition `A = Q R` by Householder reflections.
///
/// - Shape: for `A` of m × n and k = min(m, n): `r` k × n, `Q` m × m as reflectors.
/// - Complexity: n² (m − n / 3) multiply-adds for m ≥ n.
package struct QRDecomposition: Sendable {
  /// R above the diagonal, reflectors below.
  private let packed: DenseMatrix
  private let tau: [Double]

  /// - Throws: `notFinite`, `outOfMemory`.
  package init(_ a: DenseMatrix) throws(LinearAlgebraError) {
    try a.requireFinite()
    self.init(finite: a)
  }

  /// - Precondition: the matrix is finite.
  init(finite a: DenseMatrix) {
    var (packed, tau) = (a, [Double](repeating: 0, count: min(a.rows, a.columns)))
    let work = Double(a.elements.count) * Double(tau.count)
    // Safe: `tau` has a slot for each reflector.
    let info = unsafe leak_lapack_qr(
      Int32(a.rows), Int32(a.columns), &packed.elements, &tau, Threads.count(for: work))
    precondition(info == 0, "dgeqrf fails only without memory")
    self.packed = packed
    self.tau = tau
  }

  /// The upper triangular factor, k × n.
  package var r: DenseMatrix {
    var result = DenseMatrix(rows: tau.count, columns: packed.columns)
    for c in 0..<packed.columns {
      for i in 0..<min(c + 1, tau.count) { result[i, c] = packed[i, c] }
    }
    return result
  }

  /// The first k columns of `Q`.
  package var q: DenseMatrix { reflect(unitColumns(0..<tau.count), transposed: false) }

  /// `Qᵀ b`, m × r for `b` of m × r.
  package func reflectTransposed(_ b: DenseMatrix) -> DenseMatrix {
    reflect(b, transposed: true)
  }

  /// `Qᵀ b`.
  package func reflectTransposed(_ b: [Double]) -> [Double] {
    reflectTransposed(DenseMatrix(rows: b.count, columns: 1, elements: b)).elements
  }

  /// The least-squares solution of `A x = b`, column by column.
  ///
  /// - Precondition: m ≥ n. A singular `R` gives infinities or NaN.
  package func solve(_ b: DenseMatrix) -> DenseMatrix {
    let size = packed.columns
    precondition(packed.rows >= size && b.rows == packed.rows)
    var result = reflectTransposed(b).rows(0..<size)
    // Safe: the triangle's columns are `packed.rows` apart, and `result` has its height.
    unsafe leak_blas_triangular(
      true, false, Int32(size), Int32(b.columns), packed.elements, Int32(packed.rows),
      &result.elements, Threads.count(for: Double(size) * Double(size) * Double(b.columns)))
    return result
  }

  package func solve(_ b: [Double]) -> [Double] {
    solve(DenseMatrix(rows: b.count, columns: 1, elements: b)).elements
  }

  /// The columns of `Q` behind the first k: what no column of `A` reaches.
  func complement() -> DenseMatrix {
    reflect(unitColumns(tau.count..<packed.rows), transposed: false)
  }

  private func unitColumns(_ range: Range<Int>) -> DenseMatrix {
    var result = DenseMatrix(rows: packed.rows, columns: range.count)
    for (c, r) in range.enumerated() { result[r, c] = 1 }
    return result
  }

  private func reflect(_ b: DenseMatrix, transposed: Bool) -> DenseMatrix {
    precondition(b.rows == packed.rows)
    var result = b
    let work = 2 * Double(b.elements.count) * Double(tau.count)
    // Safe: `result` has the height of the reflectors.
    let info = unsafe leak_lapack_reflect(
      transposed, Int32(b.rows), Int32(b.columns), Int32(tau.count), packed.elements, tau,
      &result.elements, Threads.count(for: work))
    precondition(info == 0, "dormqr fails only without memory")
    return result
  }
}

/// An order of columns in which each is the farthest from the span of those before.
///
/// - Source: Businger & Golub 1965 (dgeqp3).
package struct PivotOrder: Sendable {
  /// Indices of all columns.
  package let columns: [Int]
  /// How far each column, in that order, is from the span of those before; descending.
  package let distances: [Double]

  /// - Throws: `notFinite`, `outOfMemory`.
  package init(_ a: DenseMatrix) throws(LinearAlgebraError) {
    try a.requireFinite()
    let count = min(a.rows, a.columns)
    var (packed, tau) = (a.elements, [Double](repeating: 0, count: count))
    var pivot = [Int32](repeating: 0, count: a.columns)
    let work = Double(a.elements.count) * Double(count)
    // Safe: `tau` has a slot for each reflector, `pivot` for each column.
    let info = unsafe leak_lapack_qr_pivoted(
      Int32(a.rows), Int32(a.columns), &packed, &pivot, &tau, Threads.count(for: work))
    try LinearAlgebraError.check(info, "dgeqp3")
    columns = pivot.map { Int($0) - 1 }
    distances = (0..<count).map { abs(packed[$0 * a.rows + $0]) }
  }
}
