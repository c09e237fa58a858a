internal import AuditModel
internal import Networks
internal import Tensors

/// Recovers samples of a batch from units that only one of them activates.
///
/// A ReLU unit active on sample `s` alone has `W̄ᵢ = z̄ᵢ x_s` and `b̄ᵢ = z̄ᵢ`, so its row ratio is the
/// sample. Which units those are is not known, but two units of the same sample have the same ratio,
/// and two units that mix samples do not: a cluster of at least two equal ratios certifies itself.
/// Rows of a cluster are combined by least squares, never averaged.
///
/// - Exact when: at least two units are active on that sample alone, and the output layer has at
///   least three classes (with fewer, all loss gradients are parallel and mixtures can agree).
/// - Complexity: O(*outputs* × *inputs* × 8) to find candidates, O(*inputs*) per compared pair.
struct SingleSampleUnits: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "single-sample-units",
    title: "Units active on one sample disclose it, whatever the batch size",
    claim: "Two or more units that only one sample of the batch activates determine that sample.",
    formula: "x = Σᵢ b̄ᵢ W̄ᵢ / Σᵢ b̄ᵢ² over the units of one cluster",
    conditions: [
      "The layer has a bias and its gradient is visible.",
      "At least two units are active on the sample and on no other one.",
    ],
    sources: [.curious, .invertingGradients],
    remedy: """
      Aggregate securely over clients, or clip and noise each sample's gradient; use fewer units in \
      the layer that reads the input.
      """,
    remedyEffect: """
      More samples per step and fewer units make samples with a unit of their own rarer, but never \
      impossible; secure aggregation and noise act on every sample.
      """)

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in observation.denseNodes where !knowledge.isSettled(node) {
      guard let matrix = observation.gradient.matrix(node), matrix.outputs >= 2,
        let bias = observation.gradient.bias(node), bias.count == matrix.outputs,
        matrix.tensor.summary().isFinite
      else { continue }
      examine(node, matrix, bias, observation, &knowledge)
    }
  }

  private func examine(
    _ node: Int, _ matrix: Matrix, _ bias: [Double], _ observation: Observation,
    _ knowledge: inout Knowledge
  ) {
    let level = RoundingLevel(observation, node, matrix: matrix, norm: 1)
    let clusters = UnitClusters(matrix, bias, level: level)
    let unitRoundoff = matrix.tensor.resolution.unitRoundoff
    let limit = matrix.tensor.count <= 1 << 22 ? 64 : 8
    let rank = NumericalRank(of: matrix, unitRoundoff: unitRoundoff, limit: limit)
    let isAtLeast = rank.rank == rank.limit && rank.limit < min(matrix.outputs, matrix.inputs)
    let measured: [Finding.Measurement] = [
      .init(
        "numerical rank of the weight gradient",
        "\(isAtLeast ? "at least " : "")\(rank.rank) (tolerance \(rank.tolerance.displayed))")
    ]
    guard !clusters.found.isEmpty else {
      knowledge.verdicts[node] = .init(
        .partial, condition: "several samples",
        reason: "at least \(rank.rank) samples (or positions) are mixed; the span of their inputs "
          + "is known, and no unit belongs to one of them alone",
        measurements: measured)
      return
    }
    let isCertain = observation.separatesSamples(at: node)
    var recovery = Knowledge.Recovery(
      node: node, samples: clusters.found.map(\.input), units: clusters.found.map(\.units),
      labels: clusters.found.map { _ in nil }, certificates: clusters.found.map(\.residual),
      scope: "the equations W̄ᵢ = b̄ᵢxᵀ of each sample's own units", isProven: isCertain,
      predictedError: clusters.found.map(\.error).max() ?? 0, method: Self.metadata.identifier,
      measurements: measured)
    recovery.measurements += [
      .init(
        "units per recovered sample",
        clusters.found.map { "\($0.units.count)" }.joined(separator: ", ")),
      .init("units that mix samples", "\(clusters.mixedCount)"),
    ]
    recovery.preconditions = [
      isCertain
        ? "Units with equal ratios belong to one sample; equal mixtures would need loss gradients "
          + "that are parallel to \(1e-6.displayed)."
        : "Units with equal ratios belong to one sample. A one- or two-class output makes equal "
          + "mixtures possible, so the recovery is an estimate unless the weights confirm it."
    ]
    knowledge.recoveries[node] = recovery
  }
}

/// Rows of a gradient grouped by equal ratio `W̄ᵢ / b̄ᵢ`.
private struct UnitClusters {
  struct Cluster {
    var units: [Int]
    var input: [Double]
    /// `‖W̄ − b̄xᵀ‖ / ‖W̄‖` over the cluster's rows.
    var residual: Double
    /// Predicted root-mean-square error of an input value.
    var error: Double
  }

  var found: [Cluster] = []
  /// Active units that belong to no cluster.
  var mixedCount = 0

  init(_ matrix: Matrix, _ bias: [Double], level: RoundingLevel) {
    let peak = bias.reduce(0) { max($0, abs($1)) }
    // A row whose bias gradient is close to its own error has no ratio.
    let floor = max(peak * 1e-7, level.isAbsolute ? 8 * level.biasError : 0)
    let active = bias.indices.filter { abs(bias[$0]) > floor }
    let probes = Self.probes(matrix)
    let signatures = active.map { unit in probes.map { $0[unit] / bias[unit] } }
    let order = active.indices.sorted { signatures[$0][0] < signatures[$1][0] }
    var isTaken = Set<Int>()
    for (position, first) in order.enumerated() where !isTaken.contains(first) {
      var members = [first]
      for next in order[(position + 1)...] where !isTaken.contains(next) {
        let scale = Self.scale(signatures[first], signatures[next])
        let margin = Self.margin(active[first], active[next], bias, level)
        if abs(signatures[next][0] - signatures[first][0]) > margin * scale { break }
        if Self.agree(signatures[first], signatures[next], margin * scale) { members.append(next) }
      }
      guard members.count >= 2,
        let cluster = Self.combine(members.map { active[$0] }, matrix, bias, level)
      else { continue }
      isTaken.formUnion(members)
      found.append(cluster)
    }
    found.sort { ($0.units.min() ?? 0) < ($1.units.min() ?? 0) }
    mixedCount = active.count - found.reduce(0) { $0 + $1.units.count }
  }

  /// Eight random projections of every row; rows with equal ratios agree in all of them.
  private static func probes(_ matrix: Matrix) -> [[Double]] {
    var generator = SplitMix64(seed: 11)
    return (0..<8).map { _ in
      matrix((0..<matrix.inputs).map { _ in generator.nextUniform() })
    }
  }

  private static func scale(_ a: [Double], _ b: [Double]) -> Double {
    max(a.reduce(0) { max($0, abs($1)) }, b.reduce(0) { max($0, abs($1)) })
  }

  /// The relative difference that rounding alone explains.
  private static func margin(
    _ first: Int, _ second: Int, _ bias: [Double], _ level: RoundingLevel
  ) -> Double {
    let weakest = min(abs(bias[first]), abs(bias[second]))
    let absolute = level.isAbsolute ? 4 * (level.weightError + level.biasError) / weakest : 0
    return 64 * level.unitRoundoff + 16 * absolute
  }

  private static func agree(_ a: [Double], _ b: [Double], _ margin: Double) -> Bool {
    zip(a, b).allSatisfy { abs($0 - $1) <= margin }
  }

  /// Least squares over the rows of a candidate cluster, checked entry by entry.
  private static func combine(
    _ units: [Int], _ matrix: Matrix, _ bias: [Double], _ level: RoundingLevel
  ) -> Cluster? {
    var selected = [Double](repeating: 0, count: bias.count)
    for unit in units { selected[unit] = bias[unit] }
    let energy = selected.dot(selected)
    guard energy > 0 else { return nil }
    let input = matrix.transposeProduct(selected).map { $0 / energy }
    guard input.allSatisfy(\.isFinite) else { return nil }
    var missed = 0.0, total = 0.0
    for unit in units {
      for (entry, value) in zip(matrix.row(unit), input) {
        let gap = entry - bias[unit] * value
        missed += gap * gap
        total += entry * entry
      }
    }
    guard total > 0 else { return nil }
    let residual = (missed / total).squareRoot()
    let strength = energy.squareRoot()
    let relative =
      level.isAbsolute
      ? 8 * level.weightError * Double(units.count * input.count).squareRoot() / total.squareRoot()
      : 0
    guard residual <= 16 * level.unitRoundoff + relative else { return nil }
    let error =
      level.isAbsolute
      ? (level.weightError + level.biasError * input.rootMeanSquare) / strength
      : level.unitRoundoff * input.rootMeanSquare
    return Cluster(units: units, input: input, residual: residual, error: error)
  }
}
