/// What one pass over a matrix tells about each of its rows.
///
/// Sums are of finite and other elements alike; ``isFinite`` tells whether they can be used.
public struct RowStatistics: Sendable {
  /// One row.
  public struct Row: Sendable {
    public internal(set) var sum = 0.0
    public internal(set) var squares = 0.0
    public internal(set) var fourthPowers = 0.0
    public internal(set) var magnitudes = 0.0
    /// The largest magnitude.
    public internal(set) var peak = 0.0
    public internal(set) var positiveSquares = 0.0
    public internal(set) var nonzeroCount = 0.0
    public internal(set) var positiveCount = 0.0
    /// Products with eight vectors of signs; rows that point the same way have the same products
    /// up to a factor.
    public internal(set) var projections = SIMD8<Double>()

    /// The Euclidean norm.
    public var norm: Double { squares.squareRoot() }
  }

  public private(set) var rows: [Row]
  public let columns: Int

  /// Whether every element is a number.
  public var isFinite: Bool { rows.allSatisfy { $0.magnitudes.isFinite && $0.squares.isFinite } }

  /// - Complexity: O(*elements*) on all cores, in blocks of a few hundred kilobytes.
  public init(_ view: RowView) {
    columns = view.columns
    rows = view.axis == .first ? Self.ofAdjacent(view) : Self.ofLines(view)
  }

  private static func ofAdjacent(_ view: RowView) -> [Row] {
    let width = view.columns
    return BlockedLoop.map(count: view.rows, grain: max(1, (1 << 16) / max(width, 1))) { range in
      range.map { index in
        var row = Row()
        var start = 0
        while start < width {
          let count = min(Signs.period, width - start)
          let first = index * width + start
          let numbers = view.tensor.elements(in: first..<first + count)
          unsafe numbers.withUnsafeBufferPointer { numbers in
            // Safe: `count` numbers and at least as many signs.
            for place in 0..<count { unsafe row.add(numbers[place], Signs.table[place]) }
          }
          start += count
        }
        return row
      }
    }.flatMap { $0 }
  }

  private static func ofLines(_ view: RowView) -> [Row] {
    let (width, lines) = (view.rows, view.columns)
    // Up to sixteen partial results of `width` rows, together a few hundred megabytes at most.
    let blocks = max(1, min(16, (1 << 21) / max(width, 1)))
    let grain = max((lines + blocks - 1) / blocks, (1 << 16) / max(width, 1), 1)
    let parts = BlockedLoop.map(count: lines, grain: grain) { range in
      var rows = [Row](repeating: Row(), count: width)
      unsafe rows.withUnsafeMutableBufferPointer { rows in
        for line in range {
          let numbers = view.tensor.elements(in: line * width..<(line + 1) * width)
          let signs = Signs.table[line % Signs.period]
          unsafe numbers.withUnsafeBufferPointer { numbers in
            // Safe: both have `width` elements.
            for index in 0..<width { unsafe rows[index].add(numbers[index], signs) }
          }
        }
      }
      return rows
    }
    guard var total = parts.first else { return [] }
    for part in parts.dropFirst() {
      for index in total.indices { total[index].merge(part[index]) }
    }
    return total
  }
}

extension RowStatistics.Row {
  @inline(__always)
  fileprivate mutating func add(_ x: Double, _ signs: SIMD8<Double>) {
    let square = x * x
    sum += x
    squares += square
    fourthPowers += square * square
    magnitudes += abs(x)
    peak = max(peak, abs(x))
    nonzeroCount += x == 0 ? 0 : 1
    positiveCount += x > 0 ? 1 : 0
    positiveSquares += x > 0 ? square : 0
    projections += x * signs
  }

  fileprivate mutating func merge(_ other: Self) {
    sum += other.sum
    squares += other.squares
    fourthPowers += other.fourthPowers
    magnitudes += other.magnitudes
    peak = max(peak, other.peak)
    nonzeroCount += other.nonzeroCount
    positiveCount += other.positiveCount
    positiveSquares += other.positiveSquares
    projections += other.projections
  }
}

/// Eight vectors of pseudo-random signs, repeated after ``period`` columns.
private enum Signs {
  static let period = 4_096

  static let table: [SIMD8<Double>] = (0..<period).map { column in
    var mixed = UInt64(column &+ 1) &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed ^= mixed >> 27
    var signs = SIMD8<Double>()
    for lane in 0..<8 { signs[lane] = mixed >> (8 * UInt64(lane)) & 1 == 0 ? -1 : 1 }
    return signs
  }
}
