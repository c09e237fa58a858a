import LinearAlgebra
import Testing

@Suite("Dense matrices")
struct MatrixTests {
  /// Rows 1 3 5 and 2 4 6.
  let a = DenseMatrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])

  @Test("Elements lie column after column")
  func order() {
    #expect(a[0, 0] == 1)
    #expect(a[1, 0] == 2)
    #expect(a[0, 2] == 5)
    #expect(a.column(1) == [3, 4])
    #expect(a.row(1) == [2, 4, 6])
    #expect(a.transposed.elements == [1, 3, 5, 2, 4, 6])
  }

  @Test("Parts keep their order")
  func parts() {
    #expect(a.columns(1..<3).elements == [3, 4, 5, 6])
    #expect(a.rows(1..<2).elements == [2, 4, 6])
    #expect(a.rows(at: [1, 0, 1]).elements == [2, 1, 2, 4, 3, 4, 6, 5, 6])
    #expect(a.columns(at: [2, 0]).elements == [5, 6, 1, 2])
    #expect(a.stacked(on: a.rows(0..<1)).elements == [1, 2, 1, 3, 4, 3, 5, 6, 5])
    #expect(a.beside(a.columns(0..<1)).elements == [1, 2, 3, 4, 5, 6, 1, 2])
  }

  @Test("Products agree with those worked out by hand")
  func products() {
    #expect(a([1, 0, -1]) == [-4, -4])
    #expect(a.transposeProduct([1, -1]) == [-1, -1, -1])
    #expect((a * a.transposed).elements == [35, 44, 44, 56])
    #expect(a.timesTranspose(a).elements == [35, 44, 44, 56])
    #expect(a.transposed.gram().elements == [35, 44, 44, 56])
    #expect(a.transposeTimes(a).elements == a.gram().elements)
    #expect(a.gram().elements == [5, 11, 17, 11, 25, 39, 17, 39, 61])
    #expect(a.frobeniusNorm == 91.0.squareRoot())
  }

  @Test("Empty matrices have empty products")
  func empty() {
    let none = DenseMatrix(rows: 3, columns: 0)
    #expect(none([]) == [0, 0, 0])
    #expect(none.transposeProduct([1, 2, 3]) == [])
    #expect(none.timesTranspose(none) == DenseMatrix(rows: 3, columns: 3))
    #expect(none.gram().elements == [])
    #expect(none.transposed.rows(0..<0).columns == 3)
    #expect(none.frobeniusNorm == 0)
    #expect(none.beside(none).stacked(on: none).rows == 6)
  }

  @Test("Large products on several threads agree with sums in order, and repeat bit for bit")
  func large() {
    var numbers = Numbers(seed: 1)
    let (left, right) = (numbers.matrix(210, 190), numbers.matrix(190, 230))
    let product = left * right
    #expect(product == left * right)
    for (r, c) in [(0, 0), (209, 229), (100, 17)] {
      let sum = zip(left.row(r), right.column(c)).reduce(0) { $0 + $1.0 * $1.1 }
      // 190 products of at most 1, each rounded.
      #expect(abs(product[r, c] - sum) < 190 * 190 * 0x1p-53)
    }
    #expect(distance(left.transposed.transposeTimes(right), product) < 190 * 190 * 0x1p-53)
    #expect(distance(left.timesTranspose(right.transposed), product) < 190 * 190 * 0x1p-53)
  }
}
