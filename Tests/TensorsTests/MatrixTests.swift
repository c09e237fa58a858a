import Tensors
import Testing

@Suite("Matrix")
struct MatrixTests {
  /// Odd sizes around the kernels' widths, and some that need several blocks.
  static let sizes = [
    [1, 1], [1, 9], [9, 1], [2, 3], [3, 7], [7, 8], [8, 15], [15, 16], [16, 17], [17, 31],
    [33, 5], [5, 33], [64, 64], [3, 70_001], [70_001, 3], [301, 457], [0, 4], [4, 0],
  ]
  static let layouts: [Matrix.Layout] = [.outputsByInputs, .inputsByOutputs]

  @Test("products are those of a plain loop, in both layouts", arguments: sizes)
  func products(size: [Int]) {
    for kind in ElementKind.allCases {
      for layout in Self.layouts {
        let subject = Subject(outputs: size[0], inputs: size[1], kind: kind, layout: layout)
        // Products of multiples of 2⁻⁵ are exact, and so are their sums, in any order.
        #expect(subject.matrix(subject.x) == subject.plainProduct(subject.x))
        #expect(
          subject.matrix.transposeProduct(subject.y) == subject.plainTransposeProduct(subject.y))
      }
    }
  }

  @Test("the transpose product is the adjoint", arguments: sizes, [UInt64(1), 2])
  func adjoint(size: [Int], seed: UInt64) {
    for layout in Self.layouts {
      var numbers = SeededNumbers(state: seed)
      let (m, n) = (size[0], size[1])
      let shape = layout == .outputsByInputs ? [m, n] : [n, m]
      let matrix = Matrix(Tensor(numbers.uniform(m * n), shape: shape), layout: layout)
      let (x, y) = (numbers.uniform(n), numbers.uniform(m))
      let left = zip(y, matrix(x)).reduce(0) { $0 + $1.0 * $1.1 }
      let right = zip(matrix.transposeProduct(y), x).reduce(0) { $0 + $1.0 * $1.1 }
      // Each side rounds m·n terms of size below one; errors add up like a random walk.
      #expect(left.isClose(to: right, 1e-14 * Double(m * n + 1).squareRoot()))
    }
  }

  @Test("rows, columns and entries agree with the transposed matrix")
  func entries() {
    for layout in Self.layouts {
      let matrix = Subject(outputs: 5, inputs: 3, kind: .float32, layout: layout).matrix
      #expect(matrix.outputs == 5 && matrix.inputs == 3)
      #expect(matrix.transposed.outputs == 3 && matrix.transposed.inputs == 5)
      for row in 0..<5 {
        #expect(matrix.row(row) == matrix.transposed.column(row))
        for column in 0..<3 {
          #expect(matrix[row, column] == matrix.transposed[column, row])
          #expect(matrix[row, column] == matrix.row(row)[column])
        }
      }
      #expect(layout.swapped != layout && layout.swapped.swapped == layout)
    }
  }

  @Test("the distance from outer products is that of a plain loop", arguments: sizes)
  func residual(size: [Int]) {
    for kind in ElementKind.allCases {
      for layout in Self.layouts {
        let subject = Subject(outputs: size[0], inputs: size[1], kind: kind, layout: layout)
        let one = [(u: subject.y, v: subject.x)]
        let three = one + [(u: subject.y.map { 2 * $0 }, v: subject.x.map { $0 * $0 }), one[0]]
        for outers in [[], one, three] {
          let found = subject.matrix.residual(outers: outers)
          let (distance, norm) = subject.plainResidual(outers)
          // Square sums of a few hundred thousand terms.
          #expect(found.distance.isClose(to: distance, 1e-11 * distance))
          #expect(found.norm.isClose(to: norm, 1e-11 * norm))
        }
        #expect(
          subject.matrix.residual(outer: subject.y, subject.x)
            == subject.matrix.residual(outers: one))
      }
    }
  }

  @Test("an outer product is at distance zero, and nothing is lost by cancellation")
  func outerProduct() {
    let (u, v) = ([1.0, -2, 0.5], [3.0, 0.25, -1, 8, 5, 0, 1, 2, 7])
    let exact = u.flatMap { a in v.map { a * $0 } }
    let matrix = Matrix(Tensor(exact, shape: [3, 9]), layout: .outputsByInputs)
    #expect(matrix.residual(outer: u, v).relative == 0)
    var nudged = exact
    nudged[4] += 1e-12
    let near = Matrix(Tensor(nudged, shape: [3, 9]), layout: .outputsByInputs)
    // Expanding the square would give 0 or 1e-8 here; the entry itself is known to its spacing.
    #expect(near.residual(outer: u, v).distance.isClose(to: 1e-12, 1e-15))
    let zero = Matrix(Tensor([0, 0], shape: [1, 2]), layout: .outputsByInputs)
    #expect(zero.residual(outer: [1], [0, 0]).relative == 0)
  }

  @Test("a product has the same bits every time", arguments: layouts)
  func deterministic(layout: Matrix.Layout) {
    var numbers = SeededNumbers(state: 3)
    let matrix = Matrix(Tensor(numbers.uniform(700 * 900), shape: [700, 900]), layout: layout)
    let (x, y) = (numbers.uniform(matrix.inputs), numbers.uniform(matrix.outputs))
    let first = (matrix(x), matrix.transposeProduct(y), matrix.residual(outer: y, x))
    for _ in 0..<6 {
      #expect(matrix(x) == first.0 && matrix.transposeProduct(y) == first.1)
      #expect(matrix.residual(outer: y, x) == first.2)
    }
  }
}

/// A matrix beside the plain numbers it was made of.
private struct Subject {
  let rows: [[Double]]
  let matrix: Matrix
  let x: [Double]
  let y: [Double]

  init(outputs: Int, inputs: Int, kind: ElementKind, layout: Matrix.Layout) {
    var numbers = SeededNumbers(state: UInt64(outputs * 1_000 + inputs))
    let rows = (0..<outputs).map { _ in numbers.grid(inputs) }
    let isRows = layout == .outputsByInputs
    let stored =
      isRows
      ? rows.flatMap { $0 } : (0..<inputs).flatMap { column in rows.map { $0[column] } }
    let tensor = Tensor(
      stored, as: kind, shape: isRows ? [outputs, inputs] : [inputs, outputs], offset: 1)
    (self.rows, matrix) = (rows, Matrix(tensor, layout: layout))
    (x, y) = (numbers.grid(inputs), numbers.grid(outputs))
  }

  func plainProduct(_ x: [Double]) -> [Double] {
    rows.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  func plainTransposeProduct(_ y: [Double]) -> [Double] {
    x.indices.map { column in zip(rows, y).reduce(0) { $0 + $1.0[column] * $1.1 } }
  }

  func plainResidual(_ outers: [(u: [Double], v: [Double])]) -> (Double, Double) {
    var (distance, norm) = (0.0, 0.0)
    for (row, entries) in rows.enumerated() {
      for (column, entry) in entries.enumerated() {
        let gap = outers.reduce(entry) { $0 - $1.u[row] * $1.v[column] }
        distance += gap * gap
        norm += entry * entry
      }
    }
    return (distance.squareRoot(), norm.squareRoot())
  }
}
