import LinearAlgebra
import Testing

@Suite("Assignment")
struct AssignmentTests {
  /// Every way to give each row a column of its own.
  private func choices(_ rows: Int, _ columns: [Int]) -> [[Int]] {
    guard rows > 0 else { return [[]] }
    return columns.flatMap { column in
      choices(rows - 1, columns.filter { $0 != column }).map { [column] + $0 }
    }
  }

  @Test(
    "Its cost is the least of all choices, and no column is used twice",
    arguments: [(1, 1), (1, 4), (3, 3), (3, 6), (5, 5), (4, 7)])
  func least(_ rows: Int, _ columns: Int) {
    var numbers = Numbers(seed: UInt64(10 * rows + columns))
    for _ in 0..<20 {
      let cost = (0..<rows).map { _ in numbers.vector(columns) }
      let found = Assignment.columns(minimizing: cost)
      func sum(_ choice: [Int]) -> Double {
        choice.enumerated().reduce(0) { $0 + cost[$1.offset][$1.element] }
      }
      let least = choices(rows, Array(0..<columns)).map(sum).min() ?? .infinity
      #expect(found.count == rows && Set(found).count == rows)
      // Sums of a few numbers below 1 in another order.
      #expect(abs(sum(found) - least) < 1e-14)
    }
  }

  @Test("Without rows there is nothing to assign")
  func empty() { #expect(Assignment.columns(minimizing: []) == []) }
}
