package import AuditModel
package import Networks

/// What a chain of closed forms says about each layer of its network.
package struct ChainReading {
  package let chain: ChainSummary
  let network: Network
  /// Whether a gradient was there; otherwise the chain says what one would disclose.
  let isObserved: Bool
  /// For each node, the step of the map that enters it.
  private let steps: [ChainSummary.Step?]
  /// For each node, the layer whose step determines what enters it, if anything does.
  private let origins: [String?]

  /// - Parameters:
  ///   - chain: What is to be read.
  ///   - network: The network that it went down.
  ///   - isObserved: Whether a gradient was there.
  ///   - isTrainingMode: Whether dropout was active, if that is known.
  ///   - recovered: The nodes whose inputs were recovered and proven, by whichever way.
  package init(
    _ chain: ChainSummary, network: Network, isObserved: Bool, isTrainingMode: Bool? = nil,
    recovered: Set<Int> = []
  ) {
    self.chain = chain
    self.network = network
    self.isObserved = isObserved
    let end = isObserved ? nil : Self.end(of: chain)
    steps = Self.steps(chain, network).map { step in
      guard var step, let end, step.outcome == .exact,
        chain.steps.lastIndex(of: step).map({ $0 > end }) ?? false
      else { return step }
      step.outcome = .stopped
      step.note =
        "the chain ends above, at '\(chain.steps[end].layer)'; were the maps above known, its input "
        + "would be determined"
      return step
    }
    origins = Self.origins(
      steps, network, passesDropout: isTrainingMode != true, recovered: recovered)
  }

  /// What the chain says about the input of node `index`.
  ///
  /// - Returns: `nil` if it says nothing: it ended before, or it never came near.
  package func judgement(
    _ index: Int
  ) -> (leak: LayerLeak, condition: String, reason: String)? {
    let condition = isObserved ? "one sample" : "if the gradient of one sample is seen"
    // What a step leaves open may still follow from further down, where a joint solve got through.
    if let step = steps[index], step.outcome == .exact || origins[index] == nil {
      let (leak, reason) = judgement(step)
      return (leak, condition, reason + (isObserved ? "" : ", at random inputs"))
    }
    guard let origin = origins[index] else { return nil }
    return (
      .exact, condition,
      "passed through by the chain: its input follows from that of '\(origin)', which is determined"
        + (isObserved ? "" : " at random inputs")
    )
  }

  private func judgement(_ step: ChainSummary.Step) -> (LayerLeak, String) {
    let equations = step.forwardEquations.addingReportingOverflow(step.gradientEquations)
    let rank =
      step.rank.map { "rank \($0) for \(step.unknowns) unknowns" }
      ?? "\(equations.overflow ? Int.max : equations.partialValue) equations for "
      + "\(step.unknowns) unknowns"
    let note = step.note.isEmpty ? "" : "; \(step.note)"
    return switch step.outcome {
    case .exact: (.exact, "\(step.route): \(rank)")
    case .subspace:
      (
        .subspace,
        "\(step.route): \(rank), so that a subspace of dimension \(Self.dimension(step)) stays open"
          + note
      )
    case .gradientOnly:
      (.partial, "the loss gradient at its output is determined, its input is not\(note)")
    case .stopped: (.inconclusive, "not followed" + note)
    }
  }

  /// The first map that a walk without a gradient leaves open; those behind it were ranked as if it
  /// were known.
  private static func end(of chain: ChainSummary) -> Int? {
    chain.steps.firstIndex { $0.outcome == .subspace || $0.outcome == .stopped }
  }

  /// How many independent directions of a map stay open.
  private static func dimension(_ step: ChainSummary.Step) -> Int {
    let known = step.rank ?? step.forwardEquations &+ step.gradientEquations
    return max(step.unknowns - known, 0)
  }

  /// The deepest convolution whose input is determined, with the shape of that input.
  package var deepestFeatures: (layer: String, shape: String)? {
    let reached = isObserved ? nil : Self.end(of: chain)
    for step in chain.steps[..<(reached ?? chain.steps.count)].reversed()
    where step.outcome == .exact {
      guard let node = network.nodes.first(where: { $0.name == step.layer }),
        node.layer is Networks.Convolution, let shape = node.inputShape
      else { continue }
      return (step.layer, shape.text)
    }
    return nil
  }
}

extension ChainReading {
  /// The steps by node; nodes that read the same map share its step.
  private static func steps(_ chain: ChainSummary, _ network: Network) -> [ChainSummary.Step?] {
    var named: [String: ChainSummary.Step] = [:]
    for step in chain.steps where named[step.layer] == nil { named[step.layer] = step }
    var bySource: [[Network.Source]: ChainSummary.Step] = [:]
    for node in network.nodes where bySource[node.sources] == nil {
      bySource[node.sources] = named[node.name]
    }
    return network.nodes.map { named[$0.name] ?? bySource[$0.sources] }
  }

  /// Whose determined inputs the others follow from: what comes out of a layer is computed from what
  /// enters it, unless chance or a meaning that is not in the file takes part.
  private static func origins(
    _ steps: [ChainSummary.Step?], _ network: Network, passesDropout: Bool,
    recovered: Set<Int>
  ) -> [String?] {
    var origins: [String?] = []
    for (index, node) in network.nodes.enumerated() {
      if let step = steps[index], step.outcome == .exact {
        origins.append(step.layer)
        continue
      }
      if recovered.contains(index) {
        origins.append(node.name)
        continue
      }
      let arriving = node.sources.map { source -> String? in
        guard case .node(let before) = source, before >= 0, before < index else { return nil }
        let layer = network.nodes[before].layer
        let isPassable =
          !(layer is CustomLayer) && (passesDropout || layer.treatment != .unchangedAtInference)
        return isPassable ? origins[before] : nil
      }
      // A merge follows only if all of its branches are determined; the first is named.
      origins.append(arriving.allSatisfy { $0 != nil } ? arriving.first ?? nil : nil)
    }
    return origins
  }
}
