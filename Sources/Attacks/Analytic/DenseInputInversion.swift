internal import AuditModel
internal import Networks
internal import Tensors

/// Recovers the input of a biased dense layer from the gradient of one sample.
///
/// For one sample `W̄ = z̄ xᵀ` and `b̄ = z̄`, so the least-squares solution over all rows is
/// `x = W̄ᵀ b̄ / ‖b̄‖²`. It is the maximum-likelihood estimate if the rounding errors of `W̄` are
/// independent and `b̄` is exact. The relative distance of `W̄` from `b̄ xᵀ` certifies that one sample
/// explains the gradient; it needs no ground truth.
///
/// - Exact when: one sample, or several of which only one has a non-zero gradient.
/// - Under additive noise the leading singular pair of `[W̄ | b̄]` is used instead (total least
///   squares), and the noise level is read off the residual.
/// - Complexity: O(*outputs* × *inputs*); two passes over the gradient.
struct DenseInputInversion: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "dense-input-inversion",
    title: "The input of a dense layer follows from its gradient",
    claim: "The gradient of one sample with respect to weight and bias determines the input.",
    formula: "x = W̄ᵀb̄ / ‖b̄‖²",
    conditions: [
      "The layer has a bias and its gradient is visible.",
      "One sample explains the gradient (the certificate is at rounding level).",
    ],
    sources: [.invertingGradients, .additivelyHomomorphic],
    remedy: """
      Do not let gradients, updates or fresh optimiser state of single samples leave the client: \
      aggregate them securely over many clients, or clip and noise each sample's gradient.
      """,
    remedyEffect: """
      Secure aggregation hides the single gradient; noise of standard deviation σ on every entry \
      leaves an error of about σ/‖b̄‖ per input value, so it must be sized against ‖b̄‖. A larger \
      batch alone does not help: samples that own a unit remain exact.
      """)

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in observation.denseNodes {
      guard let matrix = observation.gradient.matrix(node),
        let bias = observation.gradient.bias(node), bias.count == matrix.outputs
      else { continue }
      examine(node, matrix, bias, observation, &knowledge)
    }
  }

  private func examine(
    _ node: Int, _ matrix: Matrix, _ bias: [Double], _ observation: Observation,
    _ knowledge: inout Knowledge
  ) {
    guard bias.allSatisfy(\.isFinite) else {
      knowledge.verdicts[node] = .init(
        .inconclusive, condition: "none", reason: "the gradient contains NaN or infinity")
      return
    }
    let norm = bias.norm
    guard norm > 0 else {
      let isSilent = matrix.tensor.summary().isAllZero
      knowledge.verdicts[node] =
        isSilent
        ? .init(
          .inconclusive, condition: "none",
          reason: "the gradient of the layer is exactly zero: no sample reached it, or it was "
            + "removed before the file was written")
        : nil
      return
    }
    let unit = bias.map { $0 / norm }
    let input = matrix.transposeProduct(unit).map { $0 / norm }
    let residual = matrix.residual(outer: bias, input)
    guard residual.distance.isFinite else {
      knowledge.verdicts[node] = .init(
        .inconclusive, condition: "none", reason: "the gradient contains NaN or infinity")
      return
    }
    let level = RoundingLevel(observation, node, matrix: matrix, norm: residual.norm)
    if residual.relative <= level.tolerance {
      knowledge.recoveries[node] = single(
        node, input, bias, residual, level, observation)
    } else if level.isBiasNoise(bias: norm, matrix: residual.norm) {
      knowledge.verdicts[node] = biasIsNoise(node, norm, residual, observation)
    } else {
      noisy(node, matrix, bias, residual, observation, &knowledge)
    }
  }

  private func single(
    _ node: Int, _ input: [Double], _ bias: [Double], _ residual: OuterProductResidual,
    _ level: RoundingLevel, _ observation: Observation
  ) -> Knowledge.Recovery {
    let peak = bias.reduce(0) { max($0, abs($1)) }
    let active = bias.count { abs($0) > 1e-6 * peak }
    let isOne =
      observation.batchSize == 1 && (observation.steps ?? 1) == 1
      && !observation.hasPositions(node)
    // A zero weight gradient fits any number of samples.
    let isDistinct =
      active >= 3 && residual.norm > 0 && observation.separatesSamples(at: node)
    var recovery = Knowledge.Recovery(
      node: node, samples: [input], outputGradient: bias, labels: [nil],
      certificates: [residual.relative], scope: "the layer's own equations W̄ = b̄xᵀ",
      isProven: isOne || isDistinct,
      predictedError: max(residual.relative, level.unitRoundoff / 2) * input.rootMeanSquare
        * (level.isReduced ? 1 : Self.concentration(bias)),
      method: Self.metadata.identifier)
    recovery.measurements = [
      .init("units with a gradient", "\(active) of \(bias.count)"),
      .init("norm of the bias gradient", bias.norm.displayed),
    ]
    if isOne {
      recovery.preconditions = ["The file states a batch of one sample."]
    } else if isDistinct {
      recovery.preconditions = [
        "One sample explains all \(active) active units; other samples of the batch, if any, are "
          + "duplicates or contribute nothing."
      ]
    } else {
      recovery.preconditions = [
        "The batch holds one sample: with \(active) active unit\(active == 1 ? "" : "s") and a "
          + "one- or two-class output, a weighted mean of several samples gives the same gradient. "
          + "State --batch-size 1 if that is so."
      ]
    }
    return recovery
  }

  /// How little the error of a single row averages out: 1 for one strong row, `1/√m` for equal ones.
  private static func concentration(_ bias: [Double]) -> Double {
    let energy = bias.dot(bias)
    guard energy > 0 else { return 1 }
    let shares = bias.map { $0 * $0 / energy }
    return max(shares.dot(shares).squareRoot(), 0) + 1 / Double(bias.count).squareRoot()
  }

  private func biasIsNoise(
    _ node: Int, _ norm: Double, _ residual: OuterProductResidual, _ observation: Observation
  ) -> Knowledge.Verdict {
    let readers = observation.network.consumers(of: node)
    let isNormalised = readers.contains {
      observation.network.nodes[$0].layer is BatchNormalization
    }
    return .init(
      .inconclusive, condition: "none",
      reason: isNormalised
        ? "batch normalisation in training mode follows directly, so the bias gradient sums to "
          + "zero and holds rounding noise only; dividing by it gives no input"
        : "the bias gradient is at the rounding level of the sum it came from; dividing by it "
          + "gives no input",
      measurements: [
        .init("norm of the bias gradient", norm.displayed),
        .init("norm of the weight gradient", residual.norm.displayed),
      ])
  }
}

// MARK: - Noise

extension DenseInputInversion {
  /// One sample plus independent noise, if the residual looks like noise and not like more samples.
  ///
  /// The residual of several samples has few large singular values; that of independent noise is
  /// flat, with a largest one near `σ(√m + √n)` (Marchenko & Pastur 1967).
  private func noisy(
    _ node: Int, _ matrix: Matrix, _ bias: [Double], _ residual: OuterProductResidual,
    _ observation: Observation, _ knowledge: inout Knowledge
  ) {
    // A batch that is stated to hold more than one sample is not one sample and noise; where
    // nothing is stated, the noise must be small enough to be told from more samples.
    let isStated = observation.batchSize == 1 && (observation.steps ?? 1) == 1
    let isPossible = isStated || observation.batchSize == nil && bias.count >= 32
    guard isPossible, bias.count >= 4, matrix.inputs >= 16, matrix.tensor.count <= 1 << 26,
      let estimate = TotalLeastSquares(matrix, bias)
    else { return }
    let remainder = matrix.residual(outer: estimate.left, estimate.input)
    let (m, n) = (Double(matrix.outputs), Double(matrix.inputs))
    let flat = (m.squareRoot() + n.squareRoot()) / (m * n).squareRoot()
    guard remainder.distance > 0, isStated || remainder.relative < 0.3,
      estimate.nextSingularValue(matrix) < 1.5 * flat * remainder.distance
    else { return }
    let sigma = remainder.distance / ((m - 1) * n).squareRoot()
    let strength = estimate.left.norm
    let error = sigma / strength * (1 + estimate.input.rootMeanSquare).squareRoot()
    let signal = estimate.input.rootMeanSquare
    // Noise alone has a leading singular value of σ(√m + √n), and an "input" that goes with it.
    let leading = strength * (1 + estimate.input.dot(estimate.input)).squareRoot()
    guard error < signal, leading > 1.5 * sigma * (m.squareRoot() + n.squareRoot()) else {
      knowledge.verdicts[node] = .init(
        .inconclusive, condition: "at this noise level",
        reason: "noise of standard deviation \(sigma.displayed) per entry hides the input "
          + "(predicted error \(error.displayed), signal \(signal.displayed)); an attacker who "
          + "sees more gradients of the same sample can average it out")
      return
    }
    var recovery = Knowledge.Recovery(
      node: node, samples: [estimate.input], outputGradient: estimate.left, labels: [nil],
      certificates: [remainder.relative], scope: "the layer's own equations, under noise",
      isProven: false, predictedError: error, method: Self.metadata.identifier,
      measurements: [
        .init("estimated noise per gradient entry", sigma.displayed),
        .init("predicted error per input value", error.displayed),
        .init("root mean square of the input", signal.displayed),
      ],
      preconditions: [
        "The rest of the gradient is independent noise: its largest singular value is that of "
          + "noise, not of a second sample."
      ])
    recovery.estimatedNoise = sigma
    knowledge.recoveries[node] = recovery
  }
}
