internal import LinearAlgebra
internal import Networks

/// The input map of one or more linear layers from everything that is linear in it.
///
/// - *Gradient equations* `W̄ = G(z̄) x` are block-diagonal over input channels, and every channel of
///   a group meets the same matrix `M(z̄)`: one factorisation serves all.
/// - *Forward equations* `A x = z − b` at the outputs whose value is known couple the channels; they
///   fix what `M` does not see.
/// - *Direct equations* are entries known from elsewhere, such as an identity shortcut.
///
/// Rows are divided by their standard errors. Directions that the gradient equations fix to well
/// below the size of the map are taken from them alone; the others are solved for together with the
/// forward equations, the gradient's own rows included.
package struct MapSolve {
  package struct GradientEquations {
    package var site: KernelSite
    /// `[outputPlaces, outputs]`.
    package var outputGradient: [Double]
    /// `[taps, groupInputs, outputs]`.
    package var weightGradient: [Double]
    /// Standard error of an entry of the weight gradient.
    package var error: Double

    package init(
      site: KernelSite, outputGradient: [Double], weightGradient: [Double], error: Double
    ) {
      self.site = site
      self.outputGradient = outputGradient
      self.weightGradient = weightGradient
      self.error = error
    }
  }

  package struct ForwardEquations {
    package var site: KernelSite
    /// `[taps, groupInputs, outputs]`.
    package var weight: [Double]
    /// The output without bias, `[outputPlaces, outputs]`.
    package var output: KnownMap

    package init(site: KernelSite, weight: [Double], output: KnownMap) {
      self.site = site
      self.weight = weight
      self.output = output
    }
  }

  let places: Int
  let channels: Int
  package var gradients: [GradientEquations] = []
  package var forwards: [ForwardEquations] = []
  package var direct: KnownMap?
  /// Singular values below this share of the largest count as zero.
  static let rankTolerance = 1e-6
  /// Singular values below this share of the largest are rounding errors of zero.
  private static let roundingTolerance = 1e-13
  /// No dense system has more unknowns than this.
  static let denseLimit = 3_600
  /// No dense system takes more multiply-adds than about this.
  static let workLimit = 2.5e10
  /// No map of more places is factored.
  static let placeLimit = 4_200

  package init(places: Int, channels: Int) {
    self.places = places
    self.channels = channels
  }
}

/// What a map solve found.
package struct MapSolution {
  package var map: KnownMap
  var unknowns: Int
  var gradientEquations: Int
  var forwardEquations: Int
  /// Independent equations among those used; `nil` where they were only counted.
  package var rank: Int?
  package var isDetermined: Bool
  /// Relative error of the map per relative error of the equations.
  var amplification: Double?
  /// Relative misfit of the gradient equations.
  var residual: Double?
  /// Directions that stay open.
  var nullity: Int { max(0, unknowns - (rank ?? unknowns)) }
}

/// Channels that meet the same matrices.
private struct Bucket {
  var channels: [Int]
  var parts: [(equations: Int, group: Int)]
  /// Columns: directions that the gradient equations leave open or fix badly.
  var open = DenseMatrix(rows: 0, columns: 0)
  /// The open directions under the gradient's rows, and what is left for them, `[w, w]` and `[w, C]`.
  var softRows = DenseMatrix(rows: 0, columns: 0)
  var softRight = DenseMatrix(rows: 0, columns: 0)
  var rank = 0
  /// Where the bucket's unknowns start among all open ones.
  var start = 0
  var openCount: Int { open.columns * channels.count }
}

extension MapSolve {
  /// - Throws: ``CascadeStop`` if a number is not finite.
  package func solve() throws(CascadeStop) -> MapSolution {
    guard isFinite else {
      throw CascadeStop("the gradient or the weights contain NaN or infinity")
    }
    let forwardCount = forwards.reduce(direct?.knownCount ?? 0) { $0 + $1.output.knownCount }
    let gradientCount = gradients.reduce(0) {
      $0 + $1.site.equationsPerChannel * $1.site.inputs
    }
    var solution = MapSolution(
      map: KnownMap(Array(repeating: 0, count: places * channels), error: .infinity),
      unknowns: places * channels, gradientEquations: gradientCount,
      forwardEquations: forwardCount, rank: nil, isDetermined: false)
    guard gradientCount + forwardCount >= solution.unknowns, places <= Self.placeLimit else {
      solution.rank = min(gradientCount + forwardCount, solution.unknowns)
      return solution
    }
    var buckets = makeBuckets()
    for index in buckets.indices {
      try solveByGradient(&buckets[index], forwardCount: forwardCount, &solution)
    }
    var open = 0
    for index in buckets.indices {
      buckets[index].start = open
      open += buckets[index].openCount
    }
    let seen = buckets.reduce(0) { $0 + $1.rank * $1.channels.count }
    if open > 0 {
      let rows = Double(forwardCount)
      guard open <= Self.denseLimit, rows * Double(open * open) <= Self.workLimit,
        forwardCount + buckets.reduce(0, softCount) >= open
      else {
        solution.rank = min(solution.unknowns, seen + forwardCount)
        return solution
      }
      try solveOpen(buckets, open, &solution)
    } else {
      solution.rank = solution.unknowns
      solution.isDetermined = true
    }
    measure(&solution)
    return solution
  }

  private var isFinite: Bool {
    gradients.allSatisfy {
      $0.weightGradient.allSatisfy(\.isFinite) && $0.outputGradient.allSatisfy(\.isFinite)
    }
      && forwards.allSatisfy {
        $0.weight.allSatisfy(\.isFinite) && $0.output.values.allSatisfy(\.isFinite)
      }
  }

  private func softCount(_ total: Int, _ bucket: Bucket) -> Int {
    total + bucket.softRows.rows * bucket.channels.count
  }

  private func makeBuckets() -> [Bucket] {
    var buckets: [[Int]: Bucket] = [:]
    for channel in 0..<channels {
      let key = gradients.map { channel / max($0.site.groupInputs, 1) }
      buckets[key, default: Bucket(channels: [], parts: key.enumerated().map { ($0, $1) })]
        .channels.append(channel)
    }
    return buckets.values.sorted { $0.channels[0] < $1.channels[0] }
  }

  /// The directions that the gradient equations fix, for all channels of a bucket at once.
  private func solveByGradient(
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

  /// What remains, from the forward equations and the gradient's rows for the open directions.
  private func solveOpen(
    _ buckets: [Bucket], _ open: Int, _ solution: inout MapSolution
  ) throws(CascadeStop) {
    var system = OpenSystem(columns: open)
    for equations in forwards {
      let site = equations.site
      let rows = system.addRows(errors(of: equations, given: solution.map))
      let known = site.response(solution.map.values, equations.weight)
      system.setRight(rows, zip(equations.output.values, known).map { $0 - $1 })
      for bucket in buckets {
        for direction in 0..<bucket.open.columns {
          let column = bucket.open.column(direction)
          for group in 0..<site.groups {
            let own = bucket.channels.enumerated().filter {
              $0.element / site.groupInputs == group
            }
            if own.isEmpty { continue }
            let response = site.responses(column, equations.weight, group: group)
            for (place, channel) in own {
              let inner = (channel - group * site.groupInputs) * site.groupOutputs
              let target = bucket.start + direction * bucket.channels.count + place
              for output in 0..<site.outputPlaces {
                let base = output * site.outputs + group * site.groupOutputs
                for filter in 0..<site.groupOutputs where rows[base + filter] >= 0 {
                  system.set(
                    rows[base + filter], target, response[inner + filter, output])
                }
              }
            }
          }
        }
      }
    }
    if let direct {
      let rows = system.addRows(direct.errors)
      system.setRight(rows, zip(direct.values, solution.map.values).map { $0 - $1 })
      for bucket in buckets {
        for direction in 0..<bucket.open.columns {
          for (place, channel) in bucket.channels.enumerated() {
            let target = bucket.start + direction * bucket.channels.count + place
            for row in 0..<places where rows[row * channels + channel] >= 0 {
              system.set(rows[row * channels + channel], target, bucket.open[row, direction])
            }
          }
        }
      }
    }
    for bucket in buckets {
      for row in 0..<bucket.softRows.rows {
        for place in bucket.channels.indices {
          let index = system.addRow(right: bucket.softRight[row, place])
          for direction in 0..<bucket.open.columns where bucket.softRows[row, direction] != 0 {
            system.set(
              index, bucket.start + direction * bucket.channels.count + place,
              bucket.softRows[row, direction], isWeighted: true)
          }
        }
      }
    }
    let answer = try system.solve()
    let closed = solution.unknowns - open
    solution.rank = closed + answer.rank
    solution.isDetermined = answer.rank == open
    guard solution.isDetermined else { return }
    for bucket in buckets {
      for direction in 0..<bucket.open.columns {
        for (place, channel) in bucket.channels.enumerated() {
          let unknown = bucket.start + direction * bucket.channels.count + place
          for row in 0..<places {
            let share = bucket.open[row, direction]
            let index = row * channels + channel
            solution.map.values[index] += share * answer.values[unknown]
            let error = share * answer.errors[unknown]
            let old = solution.map.errors[index]
            solution.map.errors[index] =
              ((old.isFinite ? old * old : 0) + error * error).squareRoot()
          }
        }
      }
    }
  }

  /// Standard errors of forward equations once the strong directions are given with theirs.
  private func errors(of equations: ForwardEquations, given map: KnownMap) -> [Double] {
    let site = equations.site
    let inherited = map.errors.filter(\.isFinite).rootMeanSquareOrZero
    var norms = Array(repeating: 0.0, count: site.outputs)
    for index in equations.weight.indices {
      norms[index % site.outputs] += equations.weight[index] * equations.weight[index]
    }
    return equations.output.errors.enumerated().map { index, error in
      (error * error + norms[index % site.outputs] * inherited * inherited).squareRoot()
    }
  }

  /// The misfit of the gradient equations and how much they amplify errors.
  private func measure(_ solution: inout MapSolution) {
    guard solution.isDetermined, !gradients.isEmpty else { return }
    var (missed, total, noise) = (0.0, 0.0, 0.0)
    for equations in gradients {
      let site = equations.site
      for group in 0..<site.groups {
        let right = site.rightSide(equations.weightGradient, group: group)
        var elements = Array(repeating: 0.0, count: places * site.groupInputs)
        for channel in 0..<site.groupInputs {
          for place in 0..<places {
            elements[channel * places + place] =
              solution.map.values[place * channels + group * site.groupInputs + channel]
          }
        }
        let inputs = DenseMatrix(
          rows: places, columns: site.groupInputs, elements: elements)
        let product = site.block(equations.outputGradient, group: group) * inputs
        for index in right.elements.indices {
          let gap = product.elements[index] - right.elements[index]
          missed += gap * gap
          total += right.elements[index] * right.elements[index]
          noise += equations.error * equations.error
        }
      }
    }
    guard total > 0 else { return }
    solution.residual = (missed / total).squareRoot()
    let size = solution.map.values.rootMeanSquareOrZero
    guard size > 0, noise > 0 else { return }
    solution.amplification =
      solution.map.errors.rootMeanSquareOrZero / size / (noise / total).squareRoot()
  }
}

extension DenseMatrix {
  /// Row `i` times `factors[i]`.
  fileprivate func scalingRows(by factors: [Double]) -> DenseMatrix {
    var scaled = elements
    for column in 0..<columns {
      for row in 0..<rows { scaled[column * rows + row] *= factors[row] }
    }
    return DenseMatrix(rows: rows, columns: columns, elements: scaled)
  }
}
