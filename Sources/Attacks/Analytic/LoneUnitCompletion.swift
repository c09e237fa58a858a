internal import AuditModel
internal import Networks
internal import Tensors

/// Completes a batch whose remaining samples own a single unit each.
///
/// A lone row ratio cannot certify itself, but two layers together can. With all samples `xᵢ` right,
/// every row of `W̄` is a combination `Σᵢ c_ki xᵢ` whose coefficient is zero exactly where unit `k` is
/// off for sample `i`; every column of the classifier's `W̄` is a combination `Σᵢ a_ki dᵢ` of the
/// samples' output gradients with `a_ki ≥ 0`, a ReLU feature, and zero at the same places. A candidate
/// that mixes two samples makes coefficients negative and the two patterns differ.
///
/// - Exact when: dense, ReLU, dense classifier with three or more classes; as many samples missing as
///   the rank says, each with a unit of its own.
struct LoneUnitCompletion: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "lone-unit-completion",
    title: "Samples that own one unit are certified by two layers together",
    claim: "The rest of a batch follows from units active on one sample, checked in two layers.",
    formula: "W̄ = C X,  W̄_next = D Aᵀ,  A ≥ 0,  C and A zero at the same places",
    conditions: [
      "A dense layer, ReLU and a dense classifier with at least three classes.",
      "The samples found already and the missing ones together explain the rank of the gradient.",
    ],
    sources: [.curious],
    remedy: SingleSampleUnits.metadata.remedy, remedyEffect: SingleSampleUnits.metadata.remedyEffect
  )

  /// Combinations of candidate units that are tried.
  private static let trialLimit = 4_000

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in knowledge.recoveries.keys.sorted() {
      guard let recovery = knowledge.recoveries[node], !recovery.units.isEmpty, recovery.isProven,
        let problem = TwoLayers(node, recovery, observation)
      else { continue }
      let missing = problem.rank - recovery.samples.count
      guard (1...3).contains(missing),
        let units = search(problem, missing)
      else { continue }
      knowledge.recoveries[node] = completed(recovery, problem, units)
    }
  }

  /// The one combination of candidate units that passes every check; `nil` if none or several do.
  private func search(_ problem: TwoLayers, _ missing: Int) -> [Int]? {
    var found: [[Int]] = []
    var trials = 0
    func extend(_ chosen: [Int], from start: Int) {
      if chosen.count == missing {
        trials += 1
        if problem.explains(chosen) { found.append(chosen) }
        return
      }
      for index in start..<max(start, problem.candidates.count) where trials < Self.trialLimit {
        extend(chosen + [problem.candidates[index]], from: index + 1)
      }
    }
    extend([], from: 0)
    return found.count == 1 && trials < Self.trialLimit ? found[0] : nil
  }

  private func completed(
    _ recovery: Knowledge.Recovery, _ problem: TwoLayers, _ units: [Int]
  ) -> Knowledge.Recovery {
    var result = recovery
    let residual = problem.residual(units)
    for unit in units {
      result.samples.append(problem.input(of: unit))
      result.units.append([unit])
      result.labels.append(DenseChain.oddOneOut(problem.next.column(unit)))
      result.certificates.append(residual)
    }
    result.method = Self.metadata.identifier
    result.scope = "the layer's own equations, and the zero pattern of the next layer's"
    result.measurements.append(
      .init("samples certified through the next layer", "\(units.count)"))
    result.preconditions.append(
      "ReLU follows the layer and the classifier comes next; the zero patterns of both layers agree "
        + "in every entry.")
    return result
  }
}

/// The gradients of a dense layer and of the classifier behind its ReLU.
private struct TwoLayers {
  let matrix: Matrix
  let next: Matrix
  /// Lower bound on the number of samples.
  let rank: Int
  /// Units that may belong to one sample: their column in the classifier has one negative entry.
  let candidates: [Int]
  private let bias: [Double]
  private let known: [[Double]]
  private let knownDirections: [[Double]]
  private let tolerance: Double

  init?(_ node: Int, _ recovery: Knowledge.Recovery, _ observation: Observation) {
    let behind = observation.network.chain(from: node)
    let function = observation.activation(behind: node)
    guard let after = behind.first(where: { observation.network.nodes[$0].layer is Dense }),
      after == observation.classifier, observation.separatesSamples,
      function?.silencesUnits == true || observation.network.origin == .inferred,
      let matrix = observation.gradient.matrix(node),
      let next = observation.gradient.matrix(after), next.inputs == matrix.outputs,
      let bias = observation.gradient.bias(node), matrix.tensor.count <= 1 << 22,
      observation.source != .update
    else { return nil }
    (self.matrix, self.next, self.bias) = (matrix, next, bias)
    known = recovery.samples
    knownDirections = recovery.units.map { units in
      units.reduce([Double](repeating: 0, count: next.outputs)) { sum, unit in
        zip(sum, next.column(unit)).map { $0 + $1 }
      }
    }
    let unit = matrix.tensor.resolution.unitRoundoff
    // Rounding of the coefficients, with room for a condition of about a hundred; doubles are finer
    // than the normal equations that the coefficients are solved from.
    tolerance = max(160 * unit, 1e-9)
    rank = min(
      NumericalRank(of: matrix, unitRoundoff: unit, limit: 16).rank,
      observation.batchSize ?? 16)
    let taken = Set(recovery.units.joined())
    let peak = bias.map(abs).max() ?? 0
    candidates = bias.indices.filter { index in
      !taken.contains(index) && abs(bias[index]) > 1e-6 * peak
        && DenseChain.oddOneOut(next.column(index)) != nil
    }
  }

  func input(of unit: Int) -> [Double] { matrix.row(unit).map { $0 / bias[unit] } }

  /// Whether the samples found and those of `units` explain both gradients, zeros included.
  func explains(_ units: [Int]) -> Bool {
    guard let below = coefficients(of: matrix, in: known + units.map(input)),
      let above = coefficients(
        of: next.transposed, in: knownDirections + units.map { next.column($0) })
    else { return false }
    for unit in bias.indices {
      let (c, a) = (below[unit], above[unit])
      let (cPeak, aPeak) = (c.map(abs).max() ?? 0, a.map(abs).max() ?? 0)
      for sample in c.indices {
        let isOn = abs(c[sample]) > tolerance * cPeak
        let isOnAbove = abs(a[sample]) > tolerance * aPeak
        // A unit that is off for the whole batch has zeros everywhere.
        guard isOn == isOnAbove, a[sample] >= -tolerance * aPeak else { return false }
      }
    }
    return true
  }

  /// `‖W̄ − C X‖ / ‖W̄‖`.
  func residual(_ units: [Int]) -> Double {
    let samples = known + units.map(input)
    guard let c = coefficients(of: matrix, in: samples) else { return 1 }
    let outers = samples.indices.map { sample in (u: c.map { $0[sample] }, v: samples[sample]) }
    return matrix.residual(outers: outers).relative
  }

  /// Least-squares coefficients of every row in the given vectors; `nil` if the rows are not in
  /// their span or the vectors are nearly dependent.
  private func coefficients(of rows: Matrix, in vectors: [[Double]]) -> [[Double]]? {
    let gram = vectors.map { a in vectors.map { a.dot($0) } }
    let projections = vectors.map { rows($0) }
    guard let factor = CholeskyFactor(gram) else { return nil }
    let solved = (0..<rows.outputs).map { row in factor.solve(projections.map { $0[row] }) }
    let outers = vectors.indices.map { index in
      (u: solved.map { $0[index] }, v: vectors[index])
    }
    return rows.residual(outers: outers).relative <= tolerance ? solved : nil
  }
}
