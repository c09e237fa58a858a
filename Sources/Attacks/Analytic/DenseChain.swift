internal import AuditModel
internal import Networks
internal import Tensors

/// Walks from a recovered layer down to layers whose bias gradient is not there.
///
/// Without a bias `W̄ = z̄ xᵀ` fixes `x` and `z̄` up to a factor. The layer above supplies it: with
/// the known input `h` of that layer and `h̄ = Aᵀ z̄_above`, the chain rule gives `z̄ = h̄ ⊙ φ′` and then
/// `x = W̄ᵀ z̄ / ‖z̄‖²`. At the last layer the factor solves `softmax(A x) − e_y = z̄`.
///
/// - Exact when: one sample, and the weights at which the gradient was taken are known.
/// - Without the weights the direction of `x` is what remains.
struct DenseChain: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "dense-chain",
    title: "A dense layer without bias discloses its input through the layer behind it",
    claim: "The chain rule carries a recovery down through dense layers without bias.",
    formula: "z̄ = (A_aboveᵀ z̄_above) ⊙ φ′,  x = W̄ᵀz̄ / ‖z̄‖²",
    conditions: [
      "One sample.",
      "The weights are known, and the layer behind was recovered or is the output.",
    ],
    sources: [.invertingGradients, .improvedDeepLeakage],
    remedy: """
      Removing the bias does not protect the input: aggregate securely, or clip and noise each \
      sample's gradient.
      """,
    remedyEffect: "Noise of standard deviation σ leaves an error of about σ/‖z̄‖ per input value.")

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in observation.denseNodes.reversed() where !knowledge.isSettled(node) {
      guard let matrix = observation.gradient.matrix(node),
        observation.gradient[node, .bias] == nil
      else { continue }
      guard matrix.tensor.summary().isFinite else {
        knowledge.verdicts[node] = .init(
          .inconclusive, condition: "none", reason: "the gradient contains NaN or infinity")
        continue
      }
      guard let pair = LeadingPair(of: matrix) else {
        knowledge.verdicts[node] = .init(
          .inconclusive, condition: "none", reason: "the gradient of the layer is exactly zero")
        continue
      }
      examine(node, matrix, pair, observation, &knowledge)
    }
  }

  private func examine(
    _ node: Int, _ matrix: Matrix, _ pair: LeadingPair, _ observation: Observation,
    _ knowledge: inout Knowledge
  ) {
    let residual = matrix.residual(outer: pair.left, pair.right)
    let level = RoundingLevel(observation, node, matrix: matrix, norm: residual.norm)
    let rankOne = Finding.Measurement(
      "distance from rank one", residual.relative.displayed)
    guard residual.relative <= level.tolerance else {
      knowledge.verdicts[node] = .init(
        .partial, condition: "several samples",
        reason: "the layer has no bias and its gradient mixes several samples; only the span of "
          + "their inputs is known", measurements: [rankOne])
      return
    }
    let gradient =
      fromAbove(node, pair, observation, knowledge) ?? fromOutput(node, pair, observation)
    guard let gradient else {
      knowledge.verdicts[node] = .init(
        .subspace, condition: "one sample",
        reason: "the input is known up to one factor: the layer has no bias, and the weights "
          + "that would fix the factor are not known",
        measurements: [rankOne])
      return
    }
    let energy = gradient.dot(gradient)
    let input = matrix.transposeProduct(gradient).map { $0 / energy }
    let certificate = matrix.residual(outer: gradient, input)
    guard certificate.relative <= 64 * level.tolerance else {
      knowledge.verdicts[node] = .init(
        .subspace, condition: "one sample",
        reason: "the input is known up to one factor; the weights do not reproduce the direction "
          + "of the layer's output gradient (\(certificate.relative.displayed)), so they are not "
          + "those of the gradient",
        measurements: [rankOne])
      return
    }
    knowledge.recoveries[node] = Knowledge.Recovery(
      node: node, samples: [input], outputGradient: gradient, labels: [nil],
      certificates: [certificate.relative],
      scope: "the chain rule from the layer above and the layer's own equations",
      isProven: observation.batchSize == 1 && !observation.hasPositions(node)
        || observation.separatesSamples(at: node),
      predictedError: level.weightError / energy.squareRoot()
        + certificate.relative * input.rootMeanSquare,
      method: Self.metadata.identifier, measurements: [rankOne],
      preconditions: ["One sample explains the gradient; the weights are those of the gradient."])
  }

  /// `z̄` by the chain rule from the recovered layer above.
  private func fromAbove(
    _ node: Int, _ pair: LeadingPair, _ observation: Observation, _ knowledge: Knowledge
  ) -> [Double]? {
    let behind = observation.network.chain(from: node)
    guard let above = behind.first(where: { observation.network.nodes[$0].layer is Dense }),
      behind.prefix(while: { $0 != above }).count <= 1,
      let known = knowledge.recoveries[above], known.samples.count == 1,
      let outputGradient = known.outputGradient,
      let weights = observation.weights.matrix(above), weights.outputs == outputGradient.count,
      let function = observation.activation(behind: node)
        ?? (observation.network.origin == .inferred ? .relu : nil)
    else { return nil }
    let arriving = weights.transposeProduct(outputGradient)
    let features = known.samples[0]
    guard arriving.count == features.count, features.count == pair.left.count else { return nil }
    if let first = features.first, function.slope(atOutput: first) != nil {
      return zip(arriving, features).map { $0 * (function.slope(atOutput: $1) ?? 0) }
    }
    return bySearch(node, pair, features, arriving, function, observation)
  }

  /// For activations whose slope the output does not determine: the factor that reproduces `h`.
  private func bySearch(
    _ node: Int, _ pair: LeadingPair, _ features: [Double], _ arriving: [Double],
    _ function: ActivationFunction, _ observation: Observation
  ) -> [Double]? {
    guard let weights = observation.weights.matrix(node), function.value(0) != nil else {
      return nil
    }
    let direction = weights(pair.right)
    func miss(_ factor: Double) -> Double {
      zip(direction, features).reduce(0) { total, pair in
        let gap = (function.value(factor * pair.0) ?? 0) - pair.1
        return total + gap * gap
      }
    }
    guard let factor = ScalarSearch.minimum(of: miss) else { return nil }
    return zip(arriving, direction).map { $0 * (function.slope(factor * $1) ?? 0) }
  }

  /// `z̄ = p − e_y` at the output, where the weights fix the factor.
  private func fromOutput(
    _ node: Int, _ pair: LeadingPair, _ observation: Observation
  ) -> [Double]? {
    guard node == observation.classifier, pair.left.count >= 2,
      let weights = observation.weights.matrix(node),
      let label = Self.oddOneOut(pair.left)
    else { return nil }
    let direction = weights(pair.right)
    func gradient(_ factor: Double) -> [Double] {
      var p = Softmax.probabilities(direction.map { $0 * factor })
      p[label] -= 1
      return p
    }
    // W̄ = z̄ xᵀ: for x = a v, a times the output gradient must be u. Comparing z̄ with u / a instead
    // would be satisfied by any saturated output, where both vanish.
    func miss(_ factor: Double) -> Double {
      zip(gradient(factor), pair.left).reduce(0) { total, pair in
        let gap = pair.0 * factor - pair.1
        return total + gap * gap
      }
    }
    return ScalarSearch.minimum(of: miss).map { gradient($0) }
  }

  /// The class whose entry has the opposite sign to all others: the label.
  static func oddOneOut(_ values: [Double]) -> Int? {
    let negative = values.indices.filter { values[$0] < 0 }
    let positive = values.indices.filter { values[$0] > 0 }
    if negative.count == 1, positive.count > 1 { return negative[0] }
    if positive.count == 1, negative.count > 1 { return positive[0] }
    return nil
  }
}
