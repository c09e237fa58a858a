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
  /// Beyond so many open unknowns all entries are solved for by iteration.
  package var openLimit = Self.denseLimit
  /// Singular values below this share of the largest count as zero.
  static let rankTolerance = 1e-6
  /// Singular values below this share of the largest are rounding errors of zero.
  static let roundingTolerance = 1e-13
  /// No dense system has more unknowns than this.
  static let denseLimit = 3_600
  /// No dense system takes more multiply-adds than about this.
  static let workLimit = 2.5e10
  /// No block of the gradient equations has more elements than this.
  static let elementLimit = 1 << 26
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
    let blockRows = gradients.reduce(0) { $0 + $1.site.equationsPerChannel }
    guard gradientCount + forwardCount >= solution.unknowns, places <= Self.placeLimit,
      blockRows <= Self.elementLimit / max(places, 1)
    else {
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
      guard forwardCount + buckets.reduce(0, softCount) >= open else {
        solution.rank = min(solution.unknowns, seen + forwardCount)
        return solution
      }
      if open <= openLimit, rows * Double(open * open) <= Self.workLimit {
        try solveOpen(buckets, open, &solution)
      } else {
        try solveByIteration(buckets, &solution)
      }
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
