private import CLAPACK

extension DenseMatrix {
  /// `A x`.
  package func callAsFunction(_ x: [Double]) -> [Double] {
    precondition(x.count == columns)
    var result = [Double](repeating: 0, count: rows)
    // Safe: the shapes were checked, and `result` has a slot for each row.
    unsafe leak_blas_vector(
      false, Int32(rows), Int32(columns), elements, x, &result, vectorThreads)
    return result
  }

  /// `Aᵀ y`.
  package func transposeProduct(_ y: [Double]) -> [Double] {
    precondition(y.count == rows)
    var result = [Double](repeating: 0, count: columns)
    // Safe: the shapes were checked, and `result` has a slot for each column.
    unsafe leak_blas_vector(
      true, Int32(rows), Int32(columns), elements, y, &result, vectorThreads)
    return result
  }

  package static func * (left: DenseMatrix, right: DenseMatrix) -> DenseMatrix {
    product(left, false, right, false)
  }

  /// `Aᵀ B`.
  package func transposeTimes(_ other: DenseMatrix) -> DenseMatrix {
    Self.product(self, true, other, false)
  }

  /// `A Bᵀ`.
  package func timesTranspose(_ other: DenseMatrix) -> DenseMatrix {
    Self.product(self, false, other, true)
  }

  /// `Aᵀ A`, exactly symmetric.
  package func gram() -> DenseMatrix {
    var result = DenseMatrix(rows: columns, columns: columns)
    let work = Double(rows) * Double(columns) * Double(columns)
    // Safe: `result` is columns × columns.
    unsafe leak_blas_gram(
      Int32(rows), Int32(columns), elements, &result.elements, Threads.count(for: work))
    return result
  }

  /// A product with a vector is bound by memory, so it pays later.
  private var vectorThreads: Int32 { Threads.count(for: Double(elements.count)) }

  private static func product(
    _ a: DenseMatrix, _ aTransposed: Bool, _ b: DenseMatrix, _ bTransposed: Bool
  ) -> DenseMatrix {
    let (rows, inner) = aTransposed ? (a.columns, a.rows) : (a.rows, a.columns)
    let (height, columns) = bTransposed ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(inner == height, "the inner extents of a product agree")
    var result = DenseMatrix(rows: rows, columns: columns)
    let threads = Threads.count(for: Double(rows) * Double(columns) * Double(inner))
    // Safe: the shapes were checked, and `result` is rows × columns.
    unsafe leak_blas_product(
      aTransposed, bTransposed, Int32(rows), Int32(columns), Int32(inner), a.elements, b.elements,
      &result.elements, threads)
    return result
  }
}
