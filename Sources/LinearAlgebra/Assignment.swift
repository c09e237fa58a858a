/// The cheapest way to give every row a column of its own.
package enum Assignment {
  /// - Parameter cost: A matrix of finite costs with at least as many columns as rows.
  /// - Returns: The column of each row.
  /// - Complexity: O(rows² · columns).
  /// - Source: Kuhn 1955, in the form with potentials and shortest augmenting paths.
  package static func columns(minimizing cost: [[Double]]) -> [Int] {
    let count = cost.first?.count ?? 0
    precondition(cost.count <= count || cost.isEmpty, "every row needs a column of its own")
    var rowPotential = [Double](repeating: 0, count: cost.count + 1)
    var columnPotential = [Double](repeating: 0, count: count + 1)
    // Position 0 stands for none; rows and columns count from 1.
    var rowOfColumn = [Int](repeating: 0, count: count + 1)
    var previous = [Int](repeating: 0, count: count + 1)
    for row in 1..<cost.count + 1 {
      rowOfColumn[0] = row
      var column = 0
      var slack = [Double](repeating: .infinity, count: count + 1)
      var isVisited = [Bool](repeating: false, count: count + 1)
      repeat {
        isVisited[column] = true
        let current = rowOfColumn[column]
        var least = Double.infinity
        var next = 0
        for candidate in 1...count where !isVisited[candidate] {
          let reduced =
            cost[current - 1][candidate - 1] - rowPotential[current] - columnPotential[candidate]
          if reduced < slack[candidate] {
            slack[candidate] = reduced
            previous[candidate] = column
          }
          if slack[candidate] < least {
            least = slack[candidate]
            next = candidate
          }
        }
        for candidate in 0...count {
          if isVisited[candidate] {
            rowPotential[rowOfColumn[candidate]] += least
            columnPotential[candidate] -= least
          } else {
            slack[candidate] -= least
          }
        }
        column = next
      } while rowOfColumn[column] != 0
      repeat {
        let before = previous[column]
        rowOfColumn[column] = rowOfColumn[before]
        column = before
      } while column != 0
    }
    var columns = [Int](repeating: 0, count: cost.count)
    for column in 1..<count + 1 where rowOfColumn[column] > 0 {
      columns[rowOfColumn[column] - 1] = column - 1
    }
    return columns
  }
}
