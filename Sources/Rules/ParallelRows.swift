internal import Tensors

/// Finds the rows of a matrix that point the same way or opposite ways.
enum ParallelRows {
  /// More rows than that are thinned out evenly, so that comparing pairs stays cheap.
  private static let limit = 16_384
  /// Products of entries that confirming may take; what is found until then counts.
  private static let productLimit = 1 << 30

  /// Groups of at least two rows, the largest first, each in ascending order; zero rows are in none.
  ///
  /// Candidates are found by the projections that one pass gives, and confirmed on the rows.
  ///
  /// - Complexity: O(*rows*²) comparisons of a few numbers at worst, and one product per member.
  static func groups(in matrix: LayerMatrix, cosine: Double) -> [[Int]] {
    let statistics = matrix.statistics
    guard statistics.isFinite else { return [] }
    let step = max(1, (statistics.rows.count + limit - 1) / limit)
    let candidates = stride(from: 0, to: statistics.rows.count, by: step).filter {
      statistics.rows[$0].squares > 0
    }
    let signatures = candidates.map { index in
      statistics.rows[index].projections / statistics.rows[index].norm
    }
    // Unit vectors at that angle are this far apart, and so are their projections, on average.
    let distance = (2 * (1 - cosine)).squareRoot()
    let order = candidates.indices.sorted {
      (abs(signatures[$0][0]), $0) < (abs(signatures[$1][0]), $1)
    }
    var isTaken = [Bool](repeating: false, count: candidates.count)
    var groups: [[Int]] = []
    var products = 0
    for (position, first) in order.enumerated() where !isTaken[first] {
      guard products < productLimit else { break }
      var members: [Int] = []
      for next in order[(position + 1)...] {
        if abs(signatures[next][0]) - abs(signatures[first][0]) > 4 * distance { break }
        if !isTaken[next], resemble(signatures[first], signatures[next], 2 * distance) {
          members.append(next)
        }
      }
      guard !members.isEmpty else { continue }
      let row = matrix.view.row(candidates[first])
      let norm = statistics.rows[candidates[first]].norm
      members = members.filter { member in
        products += matrix.view.columns
        guard products < productLimit else { return false }
        let other = matrix.view.row(candidates[member])
        let product = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
        return abs(product) >= cosine * norm * statistics.rows[candidates[member]].norm
      }
      guard !members.isEmpty else { continue }
      for member in members { isTaken[member] = true }
      isTaken[first] = true
      groups.append((members + [first]).map { candidates[$0] }.sorted())
    }
    return groups.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }

  private static func resemble(
    _ a: SIMD8<Double>, _ b: SIMD8<Double>, _ distance: Double
  ) -> Bool {
    let (difference, sum) = (a - b, a + b)
    return min((difference * difference).sum(), (sum * sum).sum()) <= 8 * distance * distance
  }
}
