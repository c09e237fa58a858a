internal import LinearAlgebra

/// Pairs with the least sum of errors.
enum BestAssignment {
  /// - Parameter errors: One row per sample, one column per true sample, none below 0. What is not
  ///   finite is worse than any sum of those that are.
  /// - Returns: The column of each row; `nil` for rows that are left over.
  static func pairs(_ errors: [[Double]]) -> [Int?] {
    let columns = errors.first?.count ?? 0
    // In shares of the largest error, so that no sum is beyond every number.
    let largest = errors.joined().filter(\.isFinite).max() ?? 0
    let worst = Double(min(errors.count, columns)) + 1
    let cost = errors.map { row in
      row.map { $0.isFinite ? (largest > 0 ? $0 / largest : 0) : worst }
    }
    guard errors.count > columns else { return Assignment.columns(minimizing: cost) }
    let transposed = (0..<columns).map { column in cost.map { $0[column] } }
    var pairs = [Int?](repeating: nil, count: errors.count)
    for (column, row) in Assignment.columns(minimizing: transposed).enumerated() {
      pairs[row] = column
    }
    return pairs
  }
}
