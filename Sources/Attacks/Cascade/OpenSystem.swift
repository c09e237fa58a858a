internal import LinearAlgebra
internal import Networks

/// A dense weighted least-squares system that is built row by row.
struct OpenSystem {
  struct Answer {
    var values: [Double]
    /// Standard errors, if the rows were divided by theirs.
    var errors: [Double]
    var rank: Int
  }

  private let columns: Int
  private var rowWeights: [Double] = []
  private var right: [Double] = []
  private var entries: [[Double]]

  init(columns: Int) {
    self.columns = columns
    entries = Array(repeating: [], count: columns)
  }

  /// Adds a row for every finite error and returns the row of each entry, −1 for the others.
  mutating func addRows(_ errors: [Double]) -> [Int] {
    let rows = errors.map { error -> Int in
      guard error.isFinite else { return -1 }
      rowWeights.append(1 / max(error, .leastNormalMagnitude))
      right.append(0)
      return rowWeights.count - 1
    }
    grow()
    return rows
  }

  /// Adds a row that is divided by its error already.
  mutating func addRow(right value: Double) -> Int {
    rowWeights.append(1)
    right.append(value)
    grow()
    return rowWeights.count - 1
  }

  private mutating func grow() {
    for column in entries.indices {
      let missing = rowWeights.count - entries[column].count
      if missing > 0 { entries[column] += repeatElement(0, count: missing) }
    }
  }

  mutating func setRight(_ rows: [Int], _ values: [Double]) {
    for (row, value) in zip(rows, values) where row >= 0 { right[row] = value * rowWeights[row] }
  }

  mutating func set(_ row: Int, _ column: Int, _ value: Double, isWeighted: Bool = false) {
    entries[column][row] = isWeighted ? value : value * rowWeights[row]
  }

  /// The least-squares solution with standard errors that eight draws of noise estimate.
  ///
  /// - Throws: ``CascadeStop`` if an entry is not finite.
  func solve() throws(CascadeStop) -> Answer {
    let rows = rowWeights.count
    let matrix = DenseMatrix(rows: rows, columns: columns, elements: entries.flatMap { $0 })
    let draws = 8
    var generator = SplitMix64(seed: 17)
    let noise = (0..<rows * draws).map { _ in generator.normal() }
    let rightSides = DenseMatrix(rows: rows, columns: 1 + draws, elements: right + noise)
    guard rows >= columns else {
      return Answer(values: [], errors: [], rank: rows)
    }
    do throws(LinearAlgebraError) {
      let factors = try QRDecomposition(matrix)
      let triangle = factors.r
      let diagonal = (0..<columns).map { abs(triangle[$0, $0]) }
      var rank = columns
      if (diagonal.min() ?? 0) <= 1e-9 * (diagonal.max() ?? 0) {
        rank = try SingularValueDecomposition(triangle).rank(relativeTolerance: 1e-10)
      }
      guard rank == columns else { return Answer(values: [], errors: [], rank: rank) }
      let solutions = factors.solve(rightSides)
      let errors = (0..<columns).map { column in
        let total = (1...draws).reduce(0.0) {
          $0 + solutions[column, $1] * solutions[column, $1]
        }
        return (total / Double(draws)).squareRoot()
      }
      return Answer(values: solutions.column(0), errors: errors, rank: rank)
    } catch {
      throw CascadeStop("the equations cannot be factored: \(error)")
    }
  }
}
