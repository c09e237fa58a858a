internal import AuditModel
internal import Networks
internal import Tensors

/// Reads samples off a ladder of units that measure one quantity against different biases.
///
/// Unit `k` is on for the samples whose quantity lies above its threshold `tₖ`, and passes the same
/// loss gradient back as its neighbours, since the columns behind them are equal. So the difference of
/// neighbouring rows is the gradient of the samples between two thresholds:
/// `W̄ₖ − W̄ₖ₊₁ = Σᵢ dᵢ xᵢᵀ` and `b̄ₖ − b̄ₖ₊₁ = Σᵢ dᵢ`. Where one sample lies there, the quotient is that
/// sample. A mixture of several gives a quotient as well, so every candidate is checked by what its own
/// loss gradient at the unit would be (``ImprintCertificates``).
///
/// - Exact when: the sample is alone between two thresholds.
/// - Source: Fowl et al. 2022, §3.
struct ImprintBins: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "imprint-bins",
    title: "A ladder of biases sorts the samples of a batch into bins",
    claim: """
      Units with parallel weights and different biases disclose every sample that lies alone between \
      two of them: B(1 − 1/K)^(B−1) of B samples on average for K bins of equal weight.
      """,
    formula: "x = (W̄ₖ − W̄ₖ₊₁) / (b̄ₖ − b̄ₖ₊₁)",
    conditions: [
      "The weights are visible, and several rows of a dense layer with ReLU are parallel.",
      "The columns of the dense layer behind it are parallel as well.",
      "The sample is alone between two thresholds.",
    ],
    sources: [.robbingTheFed],
    remedy: "Do not compute gradients of a model with such a layer.",
    remedyEffect: """
      Without the ladder only samples with a ReLU unit of their own are read from a batch.
      """)

  /// How far a quotient may be off, relative to the size of the sample, to count as a sample.
  private static let errorLimit = 1e-2

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in observation.denseNodes
    where !knowledge.isSettled(node) && !observation.hasPositions(node) {
      guard let ladder = ImprintLadder(node, observation),
        let gradient = observation.gradient.matrix(node),
        let bias = observation.gradient.bias(node), bias.count == gradient.outputs,
        gradient.tensor.summary().isFinite
      else { continue }
      let bins = Bins(ladder, gradient, bias, observation, errorLimit: Self.errorLimit)
      guard !bins.found.isEmpty else { continue }
      knowledge.recoveries[node] = Knowledge.Recovery(
        node: node, samples: bins.found.map(\.input), units: bins.found.map { [$0.unit] },
        labels: bins.found.map { _ in nil }, certificates: bins.found.map { _ in 1 },
        scope: "the loss gradient of each sample alone, simulated", isProven: false,
        predictedError: bins.found.map(\.error).max() ?? 0, method: Self.metadata.identifier,
        measurements: [
          .init("units of the ladder", "\(ladder.units.count)"),
          .init("bins with a gradient", "\(bins.found.count)"),
        ])
    }
  }
}

/// The differences of neighbouring units that may be samples.
private struct Bins {
  struct Bin {
    /// The lower unit.
    var unit: Int
    var input: [Double]
    /// Predicted root-mean-square error of an input value.
    var error: Double
  }

  var found: [Bin] = []

  init(
    _ ladder: ImprintLadder, _ gradient: Matrix, _ bias: [Double], _ observation: Observation,
    errorLimit: Double
  ) {
    let level = RoundingLevel(observation, ladder.node, matrix: gradient, norm: 1)
    let rounding = gradient.tensor.resolution.unitRoundoff
    for place in ladder.units.indices {
      let unit = ladder.units[place]
      var (step, row) = (bias[unit] / ladder.factors[place], gradient.row(unit))
      for index in row.indices { row[index] /= ladder.factors[place] }
      var size = abs(step)
      if place + 1 < ladder.units.count {
        let above = ladder.units[place + 1]
        let other = bias[above] / ladder.factors[place + 1]
        for (index, entry) in gradient.row(above).enumerated() {
          row[index] -= entry / ladder.factors[place + 1]
        }
        size = max(size, abs(other))
        step -= other
      }
      // What rounding of the two sums leaves of a difference that is zero.
      let floor = 16 * (rounding * size + level.biasError)
      guard abs(step) > floor else { continue }
      let input = row.map { $0 / step }
      let scale = input.rootMeanSquare
      let error =
        (2 * level.weightError + 2 * (level.biasError + rounding * size) * scale) / abs(step)
      guard input.allSatisfy(\.isFinite), scale > 0, error <= errorLimit * scale,
        ladder.holds(input, at: place, slack: 64 * error / scale + 1e-3)
      else { continue }
      found.append(Bin(unit: unit, input: input, error: error))
    }
  }
}

/// Units of a dense layer whose weights are parallel, by rising threshold.
struct ImprintLadder {
  let node: Int
  /// The unit with the lowest threshold first.
  private(set) var units: [Int] = []
  /// How much larger the column behind each unit is than that behind the first; 1 if equal.
  private(set) var factors: [Double] = []
  private var thresholds: [Double] = []
  private var direction: [Double] = []

  private static let (leastUnits, probes, cosine) = (8, 64, 0.999)

  /// - Returns: `nil` if fewer than eight rows are parallel, or the columns behind them are not.
  init?(_ node: Int, _ observation: Observation) {
    guard let weights = observation.weights.matrix(node),
      let bias = observation.weights.bias(node), bias.count == weights.outputs,
      weights.outputs >= Self.leastUnits,
      let direction = Self.direction(of: weights)
    else { return nil }
    self.node = node
    self.direction = direction
    let energy = direction.dot(direction)
    let products = weights(direction)
    var rungs: [(unit: Int, threshold: Double)] = []
    for unit in products.indices where products[unit] > 0 {
      let norm = weights.row(unit).norm
      guard products[unit] >= Self.cosine * norm * energy.squareRoot() else { continue }
      rungs.append((unit, -bias[unit] * energy / products[unit]))
    }
    rungs.sort { ($0.threshold, $0.unit) < ($1.threshold, $1.unit) }
    // Units with the same threshold say the same.
    rungs = rungs.enumerated().filter { $0 == 0 || rungs[$0 - 1].threshold < $1.threshold }
      .map(\.element)
    guard rungs.count >= Self.leastUnits else { return nil }
    units = rungs.map(\.unit)
    thresholds = rungs.map(\.threshold)
    factors = units.map { _ in 1 }
    let behind = observation.network.chain(from: node).first {
      observation.network.nodes[$0].layer is Dense
    }
    guard let behind, let next = observation.weights.matrix(behind), next.inputs == weights.outputs
    else { return }
    let reference = next.column(units[0])
    let size = reference.dot(reference)
    guard size > 0 else { return nil }
    for (place, unit) in units.enumerated() {
      let column = next.column(unit)
      let product = column.dot(reference)
      guard product > 0, product >= Self.cosine * column.norm * size.squareRoot() else {
        return nil
      }
      factors[place] = product / size
    }
  }

  /// Whether the quantity that an input gives lies between the threshold at `place` and the next.
  func holds(_ input: [Double], at place: Int, slack: Double) -> Bool {
    let quantity = direction.dot(input)
    let margin = slack * max(abs(quantity), abs(thresholds[place]))
    guard quantity >= thresholds[place] - margin else { return false }
    return place + 1 == thresholds.count || quantity <= thresholds[place + 1] + margin
  }

  /// A row that at least a few of some evenly spaced ones are parallel to.
  private static func direction(of weights: Matrix) -> [Double]? {
    let step = max(1, weights.outputs / probes)
    let rows = stride(from: 0, to: weights.outputs, by: step).prefix(probes).map(weights.row)
    let norms = rows.map(\.norm)
    for (index, row) in rows.enumerated() where norms[index] > 0 {
      let parallel = rows.indices.count {
        rows[$0].dot(row) >= cosine * norms[$0] * norms[index] && norms[$0] > 0
      }
      if parallel >= min(4, rows.count / 2) { return row }
    }
    return nil
  }
}
