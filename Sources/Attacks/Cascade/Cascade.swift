package import AuditModel
internal import Networks
package import TensorIR
internal import Tensors

/// Closed-form recovery through convolution stacks, layer by layer, from the dense layer down.
///
/// Given a layer's output `h` and its loss gradient, the input solves linear equations: the layer's own
/// `A x = φ⁻¹(h) − b` and its weight gradient `W̄ = G(z̄) x`. Where they determine the input, the walk goes
/// on below; where they do not, the network input is sought by least squares from the deepest map that is
/// determined, and then from every observed gradient at once.
package enum Cascade {
  package static let metadata = AttackMetadata(
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

  /// Walks down from the recovered dense layer nearest to the input.
  package static func run(
    on observation: Observation, knowing knowledge: inout Knowledge, backend: any Backend,
    progress: @escaping @Sendable (String) -> Void
  ) {
    guard let start = start(observation, knowledge),
      let recovery = knowledge.recoveries[start], let outputGradient = recovery.outputGradient
    else { return }
    if observation.isTrainingMode == true {
      return
    }
    do throws(CascadeStop) {
      let walk = try CascadeWalk(
        observation, start: start,
        input: KnownMap(recovery.samples[0], error: recovery.predictedError),
        outputGradient: outputGradient, on: backend, progress: progress)
      walk.run()
      for step in walk.steps { progress("\(step)") }
      progress("stop: \(walk.stop?.description ?? "none")")
      let search = CascadeSearch(walk, progress: progress)
      search.run()
      if let x = search.input,
        let reader = walk.readers(of: .input(0)).first
      {
        knowledge.recoveries[reader] = Knowledge.Recovery(
          node: reader, samples: [walk.programs.declared(x, of: .input(0))],
          labels: [recovery.labels.first ?? nil], certificates: [search.certificate ?? .infinity],
          scope: "the gradient of the whole network, simulated again",
          isProven: (search.certificate ?? 1) < 1e-4, predictedError: 0,
          method: metadata.identifier)
      }
    } catch {
      progress("cascade stopped: \(error)")
    }
  }

  /// The recovered dense layer nearest to the input, if something lies between the two.
  private static func start(_ observation: Observation, _ knowledge: Knowledge) -> Int? {
    let known = knowledge.recoveries.keys.sorted().first { node in
      guard let recovery = knowledge.recoveries[node] else { return false }
      return recovery.samples.count == 1 && recovery.isDetermined == nil
        && recovery.outputGradient != nil && observation.network.nodes[node].layer is Dense
    }
    guard let known, observation.network.origin == .declared,
      observation.affineFromInput(to: known) == nil
    else { return nil }
    return known
  }
}
