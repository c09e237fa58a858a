import Tensors
import Testing

@Suite("Row statistics")
struct RowStatisticsTests {
  private static let (rows, columns) = (7, 9_001)

  private static let numbers: [Double] = (0..<rows * columns).map { index in
    index.isMultiple(of: 5) ? 0 : Double((index * 7_919) % 2_003) / 1_000 - 1
  }

  /// The same matrix, units along the first or the last axis.
  private static func view(_ axis: RowView.Axis) -> RowView {
    axis == .first
      ? RowView(Tensor(numbers, shape: [rows, columns]), unitsAlong: .first)
      : RowView(
        Tensor(
          (0..<columns).flatMap { column in
            (0..<rows).map { numbers[$0 * columns + column] }
          }, shape: [columns, rows]), unitsAlong: .last)
  }

  @Test("sums are those of the rows, whichever axis the units lie along")
  func sums() {
    for axis in [RowView.Axis.first, .last] {
      let view = Self.view(axis)
      #expect(view.rows == Self.rows && view.columns == Self.columns)
      let statistics = RowStatistics(view)
      #expect(statistics.isFinite)
      for (index, found) in statistics.rows.enumerated() {
        let row = Array(Self.numbers[index * Self.columns..<(index + 1) * Self.columns])
        #expect(view.row(index) == row && view[index, 3] == row[3])
        // Additions in another order.
        func equal(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(1, abs(b)) }
        #expect(equal(found.sum, row.reduce(0, +)))
        #expect(equal(found.squares, row.reduce(0) { $0 + $1 * $1 }))
        #expect(equal(found.fourthPowers, row.reduce(0) { $0 + $1 * $1 * $1 * $1 }))
        #expect(equal(found.magnitudes, row.reduce(0) { $0 + abs($1) }))
        #expect(found.peak == row.reduce(0) { max($0, abs($1)) })
        #expect(found.nonzeroCount == Double(row.count { $0 != 0 }))
        #expect(found.positiveCount == Double(row.count { $0 > 0 }))
        #expect(equal(found.positiveSquares, row.filter { $0 > 0 }.reduce(0) { $0 + $1 * $1 }))
      }
    }
  }

  @Test("projections of a multiple are multiples, on both axes")
  func projections() {
    let first = RowStatistics(Self.view(.first)).rows
    let last = RowStatistics(Self.view(.last)).rows
    let row = Array(Self.numbers.prefix(Self.columns))
    let pair = RowStatistics(
      RowView(Tensor(row + row.map { -3 * $0 }, shape: [2, Self.columns]), unitsAlong: .first)
    ).rows
    for lane in 0..<8 {
      #expect(abs(first[2].projections[lane] - last[2].projections[lane]) < 1e-9)
      #expect(abs(pair[1].projections[lane] + 3 * pair[0].projections[lane]) < 1e-9)
    }
  }

  @Test("a matrix with something that is no number says so", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) {
    let statistics = RowStatistics(
      RowView(Tensor([1, 2, value, 4], shape: [2, 2]), unitsAlong: .first))
    #expect(!statistics.isFinite)
  }
}
