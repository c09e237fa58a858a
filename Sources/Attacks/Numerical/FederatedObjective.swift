internal import LinearAlgebra
package import Networks
package import TensorIR

/// How far what a client would send is from what was observed, as a function of the client's inputs.
///
/// The client takes steps `θ[t+1] = θ[t] − η ∂L/∂θ`. With `λ[S]` the slope of the distance in the
/// update `θ[S] − θ[0]`, the gradient in the inputs `x` comes from an adjoint that runs back:
///
///     x̄ ← x̄ − η (∂²L/∂x∂θ)(θ[t]) λ[t+1]        λ[t] = λ[t+1] − η (∂²L/∂θ²)(θ[t]) λ[t+1]
///
/// Both products are one pushforward of `(∂L/∂x, ∂L/∂θ)` along `λ`, so there is no tape, and neither
/// programs nor memory grow with the number of steps. Sums over steps are taken in double precision.
///
/// - Source: McMahan et al., *Communication-Efficient Learning of Deep Networks from Decentralized
///   Data*, AISTATS 2017, algorithm 1; matching updates of it as Geiping et al., *Inverting Gradients*,
///   NeurIPS 2020, do.
package final class FederatedObjective: MatchingObjective {
  /// `[samples, …]`, as the model declares it.
  package let shape: [Int]
  private let plan: FederatedPlan
  private let distance: GradientMatching.Distance
  /// Trainable parameters before the first step, in node order.
  private let start: [[Double]]
  /// The observed change of each; `nil` where it is not compared.
  private let observed: [[Double]?]
  /// Of each sample: a distribution over the classes, or the share of class 1.
  private let targets: [[Double]]
  /// By number of samples.
  private let steps: [Int: FederatedStep]
  private let smoothness: Smoothness?
  private let schedule: ReversalSchedule

  /// - Parameters:
  ///   - network: With one input of real numbers; batch normalisation uses stored statistics.
  ///   - weights: The parameters before the first step.
  ///   - observed: Parameters after minus before.
  ///   - keys: The trainable parameters that are compared; by default all that were observed.
  ///   - labels: The class of each sample.
  ///   - plan: The samples of each step and the learning rate.
  ///   - distance: Over all compared parameters at once.
  ///   - totalVariation: The weight of the mean total variation of the inputs.
  ///   - isChannelsFirst: Whether channels stand in front of the spatial axes; `nil` is what the
  ///     layers declare.
  ///   - loss: A cross-entropy.
  ///   - backend: What runs the programs of one step.
  ///   - precision: That of a step; steps are summed up in double precision.
  ///   - snapshots: Parameters that are kept between steps at a time, against computing them again.
  /// - Throws: ``NotInvertible`` if the network is no graph, a parameter is missing, labels do not fit
  ///   or the backend cannot run a step.
  /// - Precondition: There is a step, and each has samples for which there are labels.
  package init(
    network: Network, weights: ParameterTable, observed: ParameterTable,
    keys: Set<ParameterTable.Key>? = nil, labels: [Int], plan: FederatedPlan,
    distance: GradientMatching.Distance, totalVariation: Double = 0,
    isChannelsFirst: Bool? = nil, loss: Loss, backend: any Backend, precision: Precision,
    snapshots: Int = 8
  ) throws(NotInvertible) {
    precondition(
      !plan.batches.isEmpty
        && plan.batches.allSatisfy { !$0.isEmpty && labels.indices.contains($0) },
      "every step has samples")
    self.plan = plan
    self.distance = distance
    schedule = ReversalSchedule(snapshots: snapshots)
    let setting = FederatedSetting(network, weights, loss: loss)
    let graph = try setting.graph(samples: plan.batches[0].count)
    let parameters = graph.parameters.map(\.parameter)
    shape = [labels.count] + graph.inputs[0].type.shape.dropFirst()
    targets = try setting.targets(labels, outputs: graph.output.type.shape[1])
    start = try setting.elements(of: parameters, in: weights)
    self.observed = try setting.observed(
      observed, keys ?? Set(observed.keys.filter(\.role.isTrainable)), parameters)
    steps = try setting.steps(plan, on: backend, in: precision)
    smoothness =
      totalVariation == 0
      ? nil
      : try Smoothness(
        shape, weight: totalVariation, isChannelsFirst: isChannelsFirst ?? network.isChannelsFirst,
        on: backend)
  }

  package var count: Int { targets.count * width }

  /// Values of one sample.
  private var width: Int { shape.dropFirst().reduce(1, *) }

  package func evaluate(
    at x: [Double]
  ) throws(BackendError) -> (objective: Double, gradient: [Double]) {
    precondition(x.count == count, "\(shape) values are needed")
    var gradient = Array(repeating: 0.0, count: x.count)
    var objective = 0.0
    var cotangent: [[Double]] = []
    let last = plan.batches.count - 1
    func advance(_ parameters: inout [[Double]], _ step: Int) throws(BackendError) {
      let samples = samples(plan.batches[step], of: x)
      try steps[samples.count]?.advance(&parameters, samples, rate: plan.learningRate)
    }
    func pull(_ parameters: [[Double]], _ step: Int) throws(BackendError) {
      if step == last {
        cotangent = parameters
        try advance(&cotangent, step)
        for place in cotangent.indices { cotangent[place].add(-1, times: start[place]) }
        objective = distance.value(replacingBySlope: &cotangent, observed: observed)
      }
      let samples = samples(plan.batches[step], of: x)
      try steps[samples.count]?.pull(
        &cotangent, at: parameters, samples, rate: plan.learningRate, to: &gradient,
        from: plan.batches[step].lowerBound * width)
    }
    try schedule.run(steps: last + 1, from: start, advance: advance, visit: pull)
    if let smoothness {
      let (value, slope) = try smoothness.evaluate(at: x)
      objective += value
      gradient.add(1, times: slope)
    }
    return (objective, gradient)
  }

  /// The parameters that the client would send, minus those before, in node order.
  package func update(of x: [Double]) throws(BackendError) -> [[Double]] {
    var parameters = start
    for batch in plan.batches {
      try steps[batch.count]?.advance(
        &parameters, samples(batch, of: x), rate: plan.learningRate)
    }
    for place in parameters.indices { parameters[place].add(-1, times: start[place]) }
    return parameters
  }

  private func samples(_ batch: Range<Int>, of x: [Double]) -> FederatedSamples {
    FederatedSamples(
      inputs: Array(x[batch.lowerBound * width..<batch.upperBound * width]),
      targets: targets[batch].flatMap { $0 }, count: batch.count)
  }
}
