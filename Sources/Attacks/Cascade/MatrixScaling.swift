internal import LinearAlgebra

extension DenseMatrix {
  func scaled(by factor: Double) -> DenseMatrix { scaled { _, _ in factor } }

  /// Row `i` times `factors[i]`.
  func scalingRows(by factors: [Double]) -> DenseMatrix { scaled { row, _ in factors[row] } }

  /// Column `j` times `factors[j]`.
  func scalingColumns(by factors: [Double]) -> DenseMatrix {
    scaled { _, column in factors[column] }
  }

  private func scaled(_ factor: (_ row: Int, _ column: Int) -> Double) -> DenseMatrix {
    var scaled = elements
    for column in 0..<columns {
      for row in 0..<rows { scaled[column * rows + row] *= factor(row, column) }
    }
    return DenseMatrix(rows: rows, columns: columns, elements: scaled)
  }
}
