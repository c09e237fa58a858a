internal import LinearAlgebra

extension MapSolve {
  /// Channels that meet the same matrices.
  struct Bucket {
    var channels: [Int]
    var parts: [(equations: Int, group: Int)]
    /// Columns: directions that the gradient equations leave open or fix badly.
    var open = DenseMatrix(rows: 0, columns: 0)
    /// The open directions under the gradient's rows, and what is left for them, `[w, w]` and `[w, C]`.
    var softRows = DenseMatrix(rows: 0, columns: 0)
    var softRight = DenseMatrix(rows: 0, columns: 0)
    var rank = 0
    /// Rows: the directions that the gradient equations fix.
    var closed = DenseMatrix(rows: 0, columns: 0)
    /// How strongly the equations see the closed and then the open directions, zero where rounding
    /// leaves nothing, and what they say of them, `[values.count, C]`.
    var values: [Double] = []
    var right = DenseMatrix(rows: 0, columns: 0)
    /// Where the bucket's unknowns start among all open ones.
    var start = 0
    var openCount: Int { open.columns * channels.count }
  }

  /// The directions that the gradient equations fix, for all channels of a bucket at once.
  func solveByGradient(
    _ bucket: inout Bucket, forwardCount: Int, _ solution: inout MapSolution
  ) throws(CascadeStop) {
    guard let (matrix, right) = stacked(bucket) else {
      bucket.open = .identity(places)
      return
    }
    let factors = try Self.factors(of: matrix)
    let values = factors.values
    let projected = factors.left.transposeTimes(right)
    // The size of the map along a direction, as far as it can be told.
    let largest = values.first ?? 0
    var strong = values.prefix { $0 > Self.rankTolerance * largest && $0 > 0 }.count
    let scale = Self.size(projected.rows(0..<strong), values)
    while strong > 0, 1 / values[strong - 1] > 0.02 * scale { strong -= 1 }
    bucket.rank = strong
    // What rounding leaves of zero, or noise of the rest, is no equation.
    let limit = values.prefix {
      $0 > Self.roundingTolerance * largest && (scale == 0 || $0 * scale > 1e-2)
    }.count
    // Where forward equations abound, let them help with the badly fixed directions too.
    let share = bucket.channels.count
    while strong > 0, 1 / values[strong - 1] > 1e-6 * scale,
      (places - strong + 1) * share <= 1_200,
      2 * (places - strong + 1) * channels <= forwardCount
    { strong -= 1 }
    let kept = factors.rightTransposed
    bucket.closed = kept.rows(0..<strong)
    bucket.values = Array(values.prefix(limit))
    bucket.right = projected.rows(0..<limit)
    let inverse = kept.rows(0..<strong).scalingRows(by: values.prefix(strong).map { 1 / $0 })
    let seen = inverse.transposeTimes(projected.rows(0..<strong))
    for (column, channel) in bucket.channels.enumerated() {
      for place in 0..<places {
        solution.map.values[place * channels + channel] = seen[place, column]
      }
    }
    for place in 0..<places {
      let variance = (0..<strong).reduce(0.0) { sum, direction in
        let entry = inverse[direction, place]
        return sum + entry * entry
      }
      for channel in bucket.channels {
        solution.map.errors[place * channels + channel] = variance.squareRoot()
      }
    }
    guard strong < places else { return }
    let positive = values.prefix { $0 > 0 }.count
    var open = kept.rows(strong..<positive).transposed
    if positive < places { open = open.beside(factors.nullSpace(relativeTolerance: 0)) }
    bucket.open = open
    // In the basis of the singular vectors the open directions' rows are diagonal.
    let weak = limit - strong
    var rows = DenseMatrix(rows: weak, columns: open.columns)
    for direction in 0..<weak { rows[direction, direction] = values[strong + direction] }
    bucket.softRows = rows
    bucket.softRight = projected.rows(strong..<limit)
  }

  /// The root-mean-square of a map along singular directions, of which those that stand out of the
  /// noise count.
  private static func size(_ projected: DenseMatrix, _ values: [Double]) -> Double {
    let energy = (0..<projected.rows).reduce(0.0) { total, row in
      let squares = (0..<projected.columns).reduce(0.0) {
        $0 + projected[row, $1] * projected[row, $1]
      }
      let isSeen = squares > 100 * Double(projected.columns)
      return isSeen ? total + squares / (values[row] * values[row]) : total
    }
    return (energy / Double(max(projected.rows * projected.columns, 1))).squareRoot()
  }

  /// The gradient equations of a bucket under each other, divided by their standard errors.
  private func stacked(_ bucket: Bucket) -> (matrix: DenseMatrix, right: DenseMatrix)? {
    var result: (matrix: DenseMatrix, right: DenseMatrix)?
    for (index, group) in bucket.parts {
      let equations = gradients[index]
      let site = equations.site
      var matrix = site.block(equations.outputGradient, group: group)
      let first = group * site.groupInputs
      var right = site.rightSide(equations.weightGradient, group: group)
        .columns(at: bucket.channels.map { $0 - first })
      let weight = 1 / max(equations.error, .leastNormalMagnitude)
      matrix = matrix.scaled(by: weight)
      right = right.scaled(by: weight)
      result =
        result.map { ($0.matrix.stacked(on: matrix), $0.right.stacked(on: right)) }
        ?? (matrix, right)
    }
    return result
  }

  private static func factors(
    of matrix: DenseMatrix
  ) throws(CascadeStop) -> SingularValueDecomposition {
    do throws(LinearAlgebraError) {
      return try SingularValueDecomposition(matrix)
    } catch {
      throw CascadeStop("the equations cannot be factored: \(error)")
    }
  }
}
