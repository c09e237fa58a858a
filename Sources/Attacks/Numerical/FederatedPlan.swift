/// The steps that a client took before it sent an update.
package struct FederatedPlan: Hashable, Sendable {
  /// The samples of each step, in the order in which they are stated.
  package var batches: [Range<Int>]
  package var learningRate: Double

  package init(batches: [Range<Int>], learningRate: Double) {
    self.batches = batches
    self.learningRate = learningRate
  }

  /// Steps of `batchSize` samples in turn, the last batch of a pass perhaps smaller.
  ///
  /// - Precondition: There are samples, and batches have one.
  package init(samples: Int, batchSize: Int, steps: Int, learningRate: Double) {
    precondition(samples > 0 && batchSize > 0, "a batch has a sample")
    let pass = stride(from: 0, to: samples, by: batchSize)
      .map { $0..<min($0 + batchSize, samples) }
    self.init(batches: (0..<steps).map { pass[$0 % pass.count] }, learningRate: learningRate)
  }

  /// What a client did to send `observation`, and with how many samples.
  ///
  /// - Returns: No plan if it took one step, which is a gradient.
  /// - Throws: ``NotInvertible`` if that is not known.
  static func steps(
    of observation: Observation, labels: [Int]?
  ) throws(NotInvertible) -> (plan: FederatedPlan?, samples: Int) {
    guard let batchSize = observation.batchSize else {
      throw NotInvertible(
        "the number of samples is not known; it is needed. State it with --batch-size")
    }
    guard observation.source == .update, observation.steps != 1 else {
      return (nil, batchSize)
    }
    guard let steps = observation.steps, let rate = observation.learningRate else {
      throw NotInvertible(
        "how many steps the client took, and at which rate, is not known; both are needed in the "
          + "file (attributes local_steps and learning_rate)")
    }
    guard steps <= 1 << 12 else {
      throw NotInvertible("the client took \(steps) steps; at most 4096 are followed")
    }
    let samples = observation.samples ?? labels?.count ?? batchSize
    let plan = FederatedPlan(
      samples: samples, batchSize: min(batchSize, samples), steps: steps, learningRate: rate)
    return (plan, samples)
  }
}
