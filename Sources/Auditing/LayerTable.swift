package import Attacks
package import AuditModel
package import Checkpoints
internal import Networks

/// One row per layer: what its gradients disclose, observed or by theorem.
package struct LayerTable {
  let model: BoundModel
  let artifact: String
  /// The observations and what the attacks made of them, best source first.
  let results: [(observation: Observation, knowledge: Knowledge)]
  /// How far down the closed forms go, those from gradients first.
  let chains: [ChainReading]

  package init(
    model: BoundModel, artifact: String,
    results: [(observation: Observation, knowledge: Knowledge)], chains: [ChainReading]
  ) {
    self.model = model
    self.artifact = artifact
    self.results = results
    self.chains = chains
  }

  package var rows: [LayerSummary] {
    model.network.nodes.indices.map { node in
      let (leak, condition, reason) = judgement(node)
      let entry = model.network.nodes[node]
      return LayerSummary(
        artifact: artifact, name: entry.name,
        kind: entry.layer.detail.map { "\(entry.layer.kind) (\($0))" } ?? entry.layer.kind,
        parameters: parameterCount(node), leak: leak, condition: condition, reason: reason)
    }
  }

  private func parameterCount(_ node: Int) -> Int {
    let held = model.weights.count(node)
    if held > 0 { return held }
    if let observed = results.map({ $0.observation.gradient.count(node) }).max(), observed > 0 {
      return observed
    }
    let entry = model.network.nodes[node]
    return entry.layer.parameters(input: entry.inputShape ?? []).values
      .reduce(0) { $0 + ($1.elementCount ?? 0) }
  }

  private func judgement(_ node: Int) -> (LayerLeak, String, String) {
    for result in results {
      if let recovery = result.knowledge.recoveries[node] {
        return judgement(of: recovery, result.observation)
      }
    }
    for result in results {
      if let verdict = result.knowledge.verdicts[node] {
        return (verdict.leak, verdict.condition, verdict.reason)
      }
    }
    if let judgement = judgementOfChains(node) { return judgement }
    return byTheorem(node)
  }

  /// What chains say about a layer with parameters; without any it has no gradient to judge.
  private func judgementOfChains(_ node: Int) -> (LayerLeak, String, String)? {
    guard hasParameters(node) else { return nil }
    let isDense = model.network.nodes[node].layer is Dense
    let judgements = chains.compactMap { chain -> (LayerLeak, String, String)? in
      let judgement = chain.judgement(node)
      // Where a walk without a gradient ends says nothing against the theorem of dense layers.
      return isDense && !chain.isObserved && judgement?.0 == .inconclusive ? nil : judgement
    }
    // An observed gradient that got nowhere does not outweigh what the weights alone show.
    return judgements.first { $0.0 != .inconclusive } ?? judgements.first
  }

  private func hasParameters(_ node: Int) -> Bool {
    let layer = model.network.nodes[node].layer
    return parameterCount(node) > 0 || layer is Convolution || layer is Recurrent
      || layer is Attention || layer is Normalization || layer is BatchNormalization
  }

  private func judgement(
    of recovery: Knowledge.Recovery, _ observation: Observation
  ) -> (LayerLeak, String, String) {
    let count = recovery.samples.count
    let certificate = (recovery.certificates.max() ?? 0).displayed
    let isWhole =
      recovery.units.isEmpty || count == observation.batchSize
    if recovery.isProven, isWhole, recovery.isDetermined == nil {
      return (
        .exact, count == 1 ? "one sample" : "all \(count) samples of the batch",
        "recovered and proven, certificate \(certificate)"
      )
    }
    if recovery.isProven {
      let batch = observation.batchSize.map { " of \($0)" } ?? ""
      return (
        .partial, recovery.isDetermined == nil ? "\(count)\(batch) samples" : "the kept entries",
        "recovered and proven, certificate \(certificate)"
      )
    }
    return (
      .partial, recovery.preconditions.first ?? "an estimate",
      "estimated with an error of \(recovery.predictedError.displayed) per value, certificate "
        + certificate
    )
  }

  /// What holds without an observation.
  private func byTheorem(_ node: Int) -> (LayerLeak, String, String) {
    let entry = model.network.nodes[node]
    let layer = entry.layer
    guard entry.mismatch == nil else {
      return (.inconclusive, "none", "shapes do not fit: \(entry.mismatch?.description ?? "")")
    }
    if let dense = layer as? Dense {
      guard !results.contains(where: \.observation.isExchanged) else {
        return (.notAnalysed, "none", "no usable gradient of this layer was observed")
      }
      let normalised = model.network.consumers(of: node).contains {
        model.network.nodes[$0].layer is BatchNormalization
      }
      return dense.hasBias
        ? (
          .exact,
          "if the gradient of one sample is seen"
            + (normalised ? " and the batch normalisation behind is in inference mode" : ""),
          "the input is W̄ᵀb̄ / ‖b̄‖² (no gradient was given)"
        )
        : (
          .subspace, "if the gradient of one sample is seen",
          "known up to a factor, which the layers behind often fix (no gradient was given)"
        )
    }
    if layer is CustomLayer {
      return (.notAnalysed, "none", "its meaning is not in the file; it was not executed")
    }
    if !hasParameters(node) {
      return (.none, "always", "it has no parameters, hence no gradient of its own")
    }
    if layer is Embedding {
      return (
        .partial, "if a gradient is seen",
        "the rows with a gradient are the tokens of the batch; not read out by this version"
      )
    }
    if let end = chains.first(where: { !$0.chain.reachesInput }) {
      let place = end.chain.steps.last.map { " at '\($0.layer)'" } ?? ""
      return (.notAnalysed, "none", "the chain of closed forms ends\(place) and does not reach it")
    }
    return (
      .notAnalysed, "none",
      "recovery through \(layer.kind) layers is not part of this version"
    )
  }
}
