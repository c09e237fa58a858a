internal import LinearAlgebra
internal import Networks
internal import Tensors

/// Which rows of a classifier are which rows of the reference.
package struct Permutation {
  package var node: Int
  package var layer: String
  /// Rows whose nearest partner is another one, ascending.
  package var moved: [Int]
  /// The moved rows, cycle by cycle; two rows that were exchanged are one cycle.
  var cycles: [[Int]]
  /// Squared distance of the moved rows to their partners over that to the rows of their own
  /// number; 1 if none moved.
  var ratio: Double

  /// The rule that speaks of them.
  package static var rule: String { PermutedClassifierRows.metadata.identifier }

  /// The classifiers of which ``rule`` says that rows changed places.
  package static func found(in subject: Subject) -> [Permutation] {
    let limit = PermutedClassifierRows.ratioLimit(in: subject)
    return all(in: subject).filter { $0.ratio <= limit }
  }

  /// More rows than that are not assigned: the cost grows with their cube.
  static let rowLimit = 4_096

  /// One per classifier that the reference has in the same shape.
  static func all(in subject: Subject) -> [Permutation] {
    guard let reference = subject.reference else { return [] }
    return subject.denseNodesFacingOutput.compactMap { site, _ in
      guard let matrix = subject.parameters?.matrix(site.node),
        let partner = Drift.partner(of: site.node, in: subject),
        let kept = reference.parameters.matrix(partner),
        matrix.view.rows == kept.view.rows, matrix.view.columns == kept.view.columns,
        (2...rowLimit).contains(matrix.view.rows), matrix.statistics.isFinite,
        kept.statistics.isFinite
      else { return nil }
      return Permutation(site.node, matrix, kept)
    }
  }

  private init(_ node: Int, _ matrix: LayerMatrix, _ kept: LayerMatrix) {
    self.node = node
    layer = matrix.layer
    // Rows that hardly moved stay where they are; only the others can have changed places.
    let open = (0..<matrix.view.rows).filter { row in
      let norm = kept.statistics.rows[row].squares
      return Self.distance(matrix.view.row(row), kept.view.row(row)) > 0.04 * norm
    }
    let rows = open.map(matrix.view.row)
    let keptRows = open.map(kept.view.row)
    let columns = Self.columns(rows, keptRows)
    let places = open.indices.filter { columns[$0] != $0 }
    moved = places.map { open[$0] }
    let before = places.reduce(0) { $0 + Self.distance(rows[$1], keptRows[$1]) }
    let after = places.reduce(0) { $0 + Self.distance(rows[$1], keptRows[columns[$1]]) }
    ratio = before > 0 ? after / before : 1
    cycles = Self.cycles(columns, places).map { $0.map { open[$0] } }
  }

  /// The cheapest assignment of rows.
  ///
  /// Where every row has another nearest partner, that is it.
  private static func columns(_ rows: [[Double]], _ kept: [[Double]]) -> [Int] {
    let norms = rows.map { $0.reduce(0) { $0 + $1 * $1 } }
    let keptNorms = kept.map { $0.reduce(0) { $0 + $1 * $1 } }
    let cost = rows.indices.map { row in
      kept.indices.map { column in
        norms[row] + keptNorms[column] - 2 * product(rows[row], kept[column])
      }
    }
    let nearest = cost.map { costs in costs.indices.min { costs[$0] < costs[$1] } ?? 0 }
    return Set(nearest).count == rows.count ? nearest : Assignment.columns(minimizing: cost)
  }

  private static func cycles(_ columns: [Int], _ moved: [Int]) -> [[Int]] {
    var left = Set(moved)
    var cycles: [[Int]] = []
    for start in moved where left.contains(start) {
      var cycle: [Int] = []
      var current = start
      while left.remove(current) != nil {
        cycle.append(current)
        current = columns[current]
      }
      cycles.append(cycle)
    }
    return cycles
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        var sums = SIMD8<Double>()
        var place = 0
        let count = min(a.count, b.count)
        while place + 8 <= count {
          for lane in 0..<8 { unsafe sums[lane] += a[place + lane] * b[place + lane] }
          place += 8
        }
        var rest = sums.sum()
        // Safe: `place` stays below both counts.
        while place < count {
          unsafe rest += a[place] * b[place]
          place += 1
        }
        return rest
      }
    }
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
