internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// Closed-form recovery through convolution stacks, layer by layer, from the dense layer down.
///
/// Given a layer's output `h` and its loss gradient, the input solves linear equations: the layer's own
/// `A x = φ⁻¹(h) − b` and its weight gradient `W̄ = G(z̄) x`. Where they determine the input, the walk goes
/// on below; where they do not, the network input is sought by least squares from the deepest map that is
/// determined, and then from every observed gradient at once.
enum Cascade {
  static let metadata = AttackMetadata(
    identifier: "cascade",
    title: "Convolutions disclose their input through their weight gradient",
    claim: """
      The gradient of one sample determines the input of every convolution whose equations outnumber \
      its input, and from the deepest such layer the picture.
      """,
    formula: "A x = φ⁻¹(h) − b,  W̄ = G(z̄) x",
    conditions: [
      "One sample, and the weights at which the gradient was taken.",
      "Batch normalisation uses stored statistics, and nothing is dropped.",
      "Down to some layer, weight gradients and known outputs outnumber the layer's input.",
    ],
    sources: [.recursiveAttack, .invertingGradients],
    remedy: """
      Do not let gradients or updates of single samples leave the client: aggregate them securely \
      over many clients, or clip and noise each sample's gradient.
      """,
    remedyEffect: """
      Secure aggregation hides the single gradient. Noise of standard deviation σ enters every \
      layer's solution multiplied by the amplification of the table, so little noise goes far in \
      deep networks; measure it with --noise.
      """)

  /// Walks down from the recovered dense layer nearest to the input, and searches from where the walk
  /// ends.
  ///
  /// - Parameters:
  ///   - observation: What an attacker sees.
  ///   - knowledge: Where the recovery, the chain and the layers' verdicts go.
  ///   - backend: What runs graphs.
  ///   - timeLimit: Seconds for the search; `nil` for as long as it needs.
  ///   - progress: Receives a line whenever long work gets on.
  static func run(
    on observation: Observation, knowing knowledge: inout Knowledge, backend: any Backend,
    timeLimit: Double?, progress: @escaping @Sendable (String) -> Void
  ) {
    guard let start = start(observation, knowledge),
      var recovery = knowledge.recoveries[start].map({ sharpened($0, observation) })
    else { return }
    var observation = observation
    let sparsity = Sparsity(observation.gradient)
    if observation.noise == nil, let sigma = recovery.estimatedNoise {
      observation = observation.statingNoise(sigma)
    }
    if sparsity == nil { recovery = balanced(recovery, observation) }
    guard let outputGradient = recovery.outputGradient else { return }
    var chain = ChainSummary(
      artifact: "", source: observation.sourceName, steps: [], reachesInput: false, stop: nil,
      rankTolerance: MapSolve.rankTolerance)
    defer { knowledge.chain = chain }
    if observation.isTrainingMode == true, let node = observation.trainingObstacle {
      chain.stop =
        "in training mode '\(observation.network.nodes[node].name)' mixes or drops values in a way "
        + "that is not in the file"
      return
    }
    do throws(CascadeStop) {
      let walk = try CascadeWalk(
        observation, start: start,
        input: sparsity?.features(recovery)
          ?? KnownMap(recovery.samples[0], error: recovery.predictedError),
        outputGradient: sparsity?.outputGradient(recovery, observation) ?? outputGradient,
        sparsity: sparsity, on: backend, progress: progress)
      // Where entries were dropped, no map has all of its equations.
      if sparsity == nil {
        walk.run()
      } else {
        walk.stop = CascadeStop(
          "most entries of the gradient were dropped, so no map is solved for")
      }
      let deadline = timeLimit.map { ContinuousClock.now + .seconds($0) }
      let search = CascadeSearch(walk, deadline: deadline, progress: progress)
      defer {
        // The search may have taken the walk further.
        chain.steps = walk.steps
        chain.stop = walk.stop?.description
        if !search.account.isEmpty { chain.jointSolve = search.account.joined(separator: "; ") }
        // Features of another shift would contradict the input.
        knowledge.features = search.shifts > 1 ? nil : walk.deepestFeatures
        knowledge.approach = (search.input ?? search.approach).map {
          walk.programs.declared($0, of: .input(0))
        }
      }
      try search.run()
      let isClaimed = search.isNoisy ? !search.isHidden : search.certificate < 0.02
      guard let x = search.input, isClaimed || search.isNoisy,
        let reader = walk.readers(of: .input(0)).first
      else { return }
      // What simulates equally well may differ from this by the predicted error.
      // A mean over a batch passes through linear layers like one sample.
      let isOne =
        recovery.isProven
        || observation.classifier.flatMap { knowledge.recoveries[$0]?.isProven } == true
      let isProven =
        isClaimed && isOne && search.certificate <= 1e-4 && search.determinedShare >= 0.999
        && search.predictedError <= 0.02 * x.rootMeanSquareOrZero
      let found = Knowledge.Recovery(
        node: reader, samples: [walk.programs.declared(x, of: .input(0))],
        labels: [recovery.labels.first ?? nil], certificates: [search.certificate],
        scope: "the gradient of every layer below '\(observation.network.nodes[start].name)', "
          + "simulated again",
        isProven: isProven, predictedError: search.predictedError,
        method: metadata.identifier,
        preconditions: [
          "One sample; the weights are those of the gradient; normalisation used stored statistics."
        ] + search.seamCondition)
      if isClaimed {
        chain.reachesInput = isProven
        knowledge.recoveries[reader] = found
      } else if found.predictedError.isFinite, x.allSatisfy(\.isFinite) {
        knowledge.withheld = found
      }
    } catch {
      chain.stop = chain.stop ?? error.description
    }
  }

  /// Features and loss gradient with the factor between them that makes one the other's, where numbers are
  /// coarse or noisy.
  private static func balanced(
    _ recovery: Knowledge.Recovery, _ observation: Observation
  ) -> Knowledge.Recovery {
    guard let bias = observation.gradient[recovery.node, .bias],
      let gradient = recovery.outputGradient
    else { return recovery }
    let noise = observation.noise ?? 0
    let isReduced = bias.resolution.unitRoundoff > ElementKind.float32.unitRoundoff
    guard isReduced || noise > 0 else { return recovery }
    let squares = gradient.map { entry in
      let rounding = bias.resolution.unitRoundoff * abs(entry) + bias.resolution.absoluteRoundoff
      return noise * noise + rounding * rounding
    }
    let error = squares.reduce(0, +).squareRoot()
    guard let factor = SoftmaxHead(recovery, observation)?.balance(error: error) else {
      return recovery
    }
    var result = recovery
    result.outputGradient = gradient.map { $0 * factor }
    result.samples[0] = recovery.samples[0].map { $0 / factor }
    return result
  }

  /// The recovery from all rows at once, where stored numbers are coarse: a single row, and so the
  /// loss gradient that the bias shows, is known no better than they are.
  private static func sharpened(
    _ recovery: Knowledge.Recovery, _ observation: Observation
  ) -> Knowledge.Recovery {
    guard let matrix = observation.gradient.matrix(recovery.node),
      let bias = observation.gradient.bias(recovery.node), recovery.estimatedNoise == nil,
      matrix.tensor.resolution.unitRoundoff > ElementKind.float32.unitRoundoff,
      let estimate = TotalLeastSquares(matrix, bias)
    else { return recovery }
    var result = recovery
    result.samples = [estimate.input]
    result.outputGradient = estimate.left
    // Each row gives the features to the same relative error, and rows count by their squares.
    let squares = estimate.left.map { $0 * $0 }
    let share = squares.norm / max(squares.reduce(0, +), .leastNormalMagnitude)
    let own = matrix.tensor.resolution.unitRoundoff / 2 * estimate.input.rootMeanSquare * share
    let strength = max(estimate.left.norm, .leastNormalMagnitude)
    let noise = (observation.noise ?? 0) / strength
    result.predictedError = (own * own + noise * noise).squareRoot()
    return result
  }

  /// The recovered dense layer nearest to the input, if something lies between the two.
  private static func start(_ observation: Observation, _ knowledge: Knowledge) -> Int? {
    let known = knowledge.recoveries.keys.sorted().first { node in
      guard let recovery = knowledge.recoveries[node] else { return false }
      return recovery.samples.count == 1
        && (recovery.isDetermined == nil || Sparsity(observation.gradient) != nil)
        && recovery.outputGradient != nil && observation.network.nodes[node].layer is Dense
    }
    guard let known, observation.network.origin == .declared,
      observation.affineFromInput(to: known) == nil
    else { return nil }
    return known
  }
}

extension Observation {
  /// A layer that acts differently in training.
  fileprivate var trainingObstacle: Int? {
    network.nodes.indices.first {
      network.nodes[$0].layer is BatchNormalization
        || network.nodes[$0].layer.treatment == .unchangedAtInference
    }
  }
}
