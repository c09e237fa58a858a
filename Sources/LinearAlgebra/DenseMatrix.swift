/// A dense matrix in `Double`, column-major as LAPACK has it.
package struct DenseMatrix: Sendable, Equatable {
  package let rows: Int
  package let columns: Int
  /// Column after column; `rows × columns` of them.
  package var elements: [Double] {
    didSet { precondition(elements.count == rows * columns, "a matrix keeps its shape") }
  }

  /// A matrix of zeros.
  package init(rows: Int, columns: Int) {
    self.init(
      rows: rows, columns: columns, elements: Array(repeating: 0, count: rows * columns))
  }

  /// - Precondition: `elements.count == rows × columns`, and both fit into 32 bits.
  package init(rows: Int, columns: Int, elements: [Double]) {
    precondition(rows >= 0 && columns >= 0 && rows <= Int32.max && columns <= Int32.max)
    precondition(elements.count == rows * columns, "a matrix has rows × columns elements")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// The identity matrix.
  package static func identity(_ size: Int) -> DenseMatrix {
    var result = DenseMatrix(rows: size, columns: size)
    for i in 0..<size { result[i, i] = 1 }
    return result
  }

  package subscript(row: Int, column: Int) -> Double {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      return elements[column * rows + row]
    }
    _modify {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns)
      yield &elements[column * rows + row]
    }
  }

  /// The square root of the sum of squares, 0 for an empty matrix.
  package var frobeniusNorm: Double { elements.euclideanNorm }

  /// Whether no element is infinite or not a number.
  package var isFinite: Bool { elements.allSatisfy(\.isFinite) }
}

// MARK: - Parts

extension DenseMatrix {
  package func column(_ c: Int) -> [Double] {
    precondition(c >= 0 && c < columns)
    return Array(elements[c * rows..<(c + 1) * rows])
  }

  package func row(_ r: Int) -> [Double] {
    precondition(r >= 0 && r < rows)
    return (0..<columns).map { elements[$0 * rows + r] }
  }

  package func columns(_ range: Range<Int>) -> DenseMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns)
    return DenseMatrix(
      rows: rows, columns: range.count,
      elements: Array(elements[range.lowerBound * rows..<range.upperBound * rows]))
  }

  package func rows(_ range: Range<Int>) -> DenseMatrix { rows(at: Array(range)) }

  /// The rows with these indices, in this order, repeated where an index is.
  package func rows(at indices: [Int]) -> DenseMatrix {
    precondition(indices.allSatisfy { $0 >= 0 && $0 < rows })
    var result: [Double] = []
    result.reserveCapacity(indices.count * columns)
    for start in stride(from: 0, to: columns * rows, by: max(rows, 1)) {
      for index in indices { result.append(elements[start + index]) }
    }
    return DenseMatrix(rows: indices.count, columns: columns, elements: result)
  }

  /// The columns with these indices, in this order, repeated where an index is.
  package func columns(at indices: [Int]) -> DenseMatrix {
    precondition(indices.allSatisfy { $0 >= 0 && $0 < columns })
    var result: [Double] = []
    result.reserveCapacity(indices.count * rows)
    for index in indices { result.append(contentsOf: elements[index * rows..<(index + 1) * rows]) }
    return DenseMatrix(rows: rows, columns: indices.count, elements: result)
  }

  /// This matrix above the other.
  package func stacked(on below: DenseMatrix) -> DenseMatrix {
    precondition(columns == below.columns)
    var result: [Double] = []
    result.reserveCapacity(elements.count + below.elements.count)
    for c in 0..<columns {
      result.append(contentsOf: elements[c * rows..<(c + 1) * rows])
      result.append(contentsOf: below.elements[c * below.rows..<(c + 1) * below.rows])
    }
    return DenseMatrix(rows: rows + below.rows, columns: columns, elements: result)
  }

  /// This matrix to the left of the other.
  package func beside(_ right: DenseMatrix) -> DenseMatrix {
    precondition(rows == right.rows)
    return DenseMatrix(
      rows: rows, columns: columns + right.columns, elements: elements + right.elements)
  }

  package var transposed: DenseMatrix {
    var result = [Double](repeating: 0, count: elements.count)
    // In blocks, so that both sides stay in the cache.
    let block = 32
    for left in stride(from: 0, to: columns, by: block) {
      for top in stride(from: 0, to: rows, by: block) {
        for c in left..<min(left + block, columns) {
          for r in top..<min(top + block, rows) {
            result[r * columns + c] = elements[c * rows + r]
          }
        }
      }
    }
    return DenseMatrix(rows: columns, columns: rows, elements: result)
  }
}
