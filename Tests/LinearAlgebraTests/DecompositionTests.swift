import LinearAlgebra
import Testing

/// Rounding of orthogonal transformations of these sizes, with room.
private let rounding = 1e-12

@Suite("Decompositions")
struct DecompositionTests {
  static let shapes = [(1, 1), (5, 3), (3, 5), (40, 40), (300, 20), (20, 300), (250, 180)]

  @Test("Singular vectors are orthonormal and give the matrix back", arguments: shapes)
  func singularValues(_ rows: Int, _ columns: Int) throws {
    var numbers = Numbers(seed: 2)
    let a = numbers.matrix(rows, columns)
    let svd = try SingularValueDecomposition(a)
    let size = min(rows, columns)
    #expect(distance(svd.left.gram(), .identity(size)) < rounding)
    #expect(distance(svd.rightTransposed.transposed.gram(), .identity(size)) < rounding)
    #expect(svd.values == svd.values.sorted(by: >))
    var scaled = svd.left
    for c in 0..<size { for r in 0..<rows { scaled[r, c] *= svd.values[c] } }
    #expect(distance(scaled * svd.rightTransposed, a) < rounding)
  }

  @Test(
    "The null space is all that the matrix sends to zero",
    arguments: [(8, 5, 5), (8, 5, 3), (5, 8, 5), (5, 8, 2), (6, 6, 4), (1, 4, 1), (90, 200, 60)])
  func nullSpace(_ rows: Int, _ columns: Int, _ rank: Int) throws {
    var numbers = Numbers(seed: 3)
    let a = try numbers.matrix(rows, columns, rank: rank, condition: 1e3)
    let svd = try SingularValueDecomposition(a)
    #expect(svd.rank(relativeTolerance: 1e-10) == rank)
    let basis = svd.nullSpace(relativeTolerance: 1e-10)
    #expect(basis.rows == columns)
    #expect(basis.columns == columns - rank)
    #expect(distance(basis.gram(), .identity(columns - rank)) < rounding)
    #expect((a * basis).frobeniusNorm < rounding)
  }

  @Test("A zero matrix has rank 0 and a full null space", arguments: [(2, 3), (3, 2), (0, 3)])
  func zero(_ rows: Int, _ columns: Int) throws {
    let svd = try SingularValueDecomposition(DenseMatrix(rows: rows, columns: columns))
    #expect(svd.rank(relativeTolerance: 1e-10) == 0)
    let basis = svd.nullSpace(relativeTolerance: 1e-10)
    #expect(distance(basis.gram(), .identity(columns)) < rounding)
    let pseudoInverse = svd.pseudoInverse(relativeTolerance: 1e-10)
    #expect(pseudoInverse == DenseMatrix(rows: columns, columns: rows))
  }

  @Test("The pseudo-inverse satisfies Penrose's conditions", arguments: [(7, 4, 3), (4, 7, 4)])
  func pseudoInverse(_ rows: Int, _ columns: Int, _ rank: Int) throws {
    var numbers = Numbers(seed: 4)
    let a = try numbers.matrix(rows, columns, rank: rank, condition: 10)
    let svd = try SingularValueDecomposition(a)
    let inverse = svd.pseudoInverse(relativeTolerance: 1e-10)
    #expect(distance(a * inverse * a, a) < rounding)
    #expect(distance(inverse * a * inverse, inverse) < rounding)
    #expect(distance(a * inverse, (a * inverse).transposed) < rounding)
    #expect(distance(inverse * a, (inverse * a).transposed) < rounding)
    let b = numbers.matrix(rows, 2)
    #expect(distance(svd.solve(b, relativeTolerance: 1e-10), inverse * b) < rounding)
  }

  @Test("Q is orthonormal, Q R is the matrix", arguments: shapes)
  func qr(_ rows: Int, _ columns: Int) throws {
    var numbers = Numbers(seed: 5)
    let a = numbers.matrix(rows, columns)
    let qr = try QRDecomposition(a)
    #expect(distance(qr.q.gram(), .identity(min(rows, columns))) < rounding)
    #expect(distance(qr.q * qr.r, a) < rounding)
    #expect(distance(qr.reflectTransposed(a).rows(0..<min(rows, columns)), qr.r) < rounding)
  }

  @Test("Least squares leave a residual orthogonal to the columns")
  func leastSquares() throws {
    var numbers = Numbers(seed: 6)
    let (a, b) = (numbers.matrix(30, 11), numbers.vector(30))
    let x = try QRDecomposition(a).solve(b)
    let residual = zip(a(x), b).map { $0 - $1 }
    #expect(a.transposeProduct(residual).euclideanNorm < rounding)
    let line = DenseMatrix(rows: 3, columns: 2, elements: [1, 1, 1, 0, 1, 2])
    // The line through (0, 1), (1, 3), (2, 5) is 1 + 2 t.
    #expect(distance(try QRDecomposition(line).solve([1, 3, 5]), [1, 2]) < rounding)
  }

  @Test("Pivoting takes the longest column first and ends with what depends on others")
  func pivots() throws {
    let a = DenseMatrix(rows: 3, columns: 4, elements: [0, 1, 0, 5, 0, 0, 5, 2, 0, 0, 1, 0])
    let order = try PivotOrder(a)
    #expect(order.columns.first == 2)
    #expect(order.columns.sorted() == [0, 1, 2, 3])
    #expect(abs(order.distances[2]) < rounding)
  }

  @Test("Eigenvectors diagonalise a symmetric matrix", arguments: [1, 2, 30, 220])
  func eigen(_ size: Int) throws {
    var numbers = Numbers(seed: 7)
    let half = numbers.matrix(size, size)
    let a = half.gram()
    let eigen = try SymmetricEigen(a)
    #expect(eigen.values == eigen.values.sorted())
    #expect(distance(eigen.vectors.gram(), .identity(size)) < rounding)
    var scaled = eigen.vectors
    for c in 0..<size { for r in 0..<size { scaled[r, c] *= eigen.values[c] } }
    // Entries of the matrix grow with its size.
    #expect(distance(scaled.timesTranspose(eigen.vectors), a) < Double(size) * rounding)
  }

  @Test("A Cholesky factor solves, inverts and stays lower triangular")
  func cholesky() throws {
    let a = DenseMatrix(rows: 2, columns: 2, elements: [4, 2, 2, 5])
    let factor = try #require(CholeskyDecomposition(a))
    #expect(factor.lower.elements == [2, 1, 0, 2])
    #expect(distance(factor.solve([8, 8]), [1.5, 1]) < rounding)
    #expect(factor.lowerSolve([2, 3]) == [1, 1])
    #expect(factor.lowerTransposeSolve([3, 2]) == [1, 1])
    #expect(distance(factor.inverse() * a, .identity(2)) < rounding)
    var numbers = Numbers(seed: 8)
    let (large, right) = (numbers.matrix(260, 200).gram(), numbers.matrix(200, 3))
    let solution = try #require(CholeskyDecomposition(large)).solve(right)
    // A Gram matrix of this shape has a condition of about 1e3.
    #expect(distance(large * solution, right) < 1e-10)
  }

  @Test("An indefinite matrix has no Cholesky factor, nor has one with NaN")
  func indefinite() {
    #expect(CholeskyDecomposition(DenseMatrix(rows: 2, columns: 2, elements: [1, 2, 2, 1])) == nil)
    #expect(CholeskyDecomposition(DenseMatrix(rows: 1, columns: 1, elements: [.nan])) == nil)
  }

  @Test("Infinities and NaN are refused", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(_ value: Double) {
    let a = DenseMatrix(rows: 2, columns: 2, elements: [1, 0, value, 1])
    let expected = LinearAlgebraError.notFinite(rows: 2, columns: 2)
    #expect(throws: expected) { try SingularValueDecomposition(a) }
    #expect(throws: expected) { try QRDecomposition(a) }
    #expect(throws: expected) { try PivotOrder(a) }
    #expect(throws: expected) { try SymmetricEigen(a) }
  }
}
