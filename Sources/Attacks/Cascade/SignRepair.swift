internal import Networks

extension CascadeWalk {
  /// An activation some of whose channels have a sign pattern that contradicts the gradient of their
  /// bias, directly above one convolution.
  ///
  /// The other channels usually determine the convolution's input; computed forwards, it tells the signs.
  struct Suspicion {
    var activation: Int
    var convolution: Int
    var channels: Set<Int>
  }

  /// The convolution whose output reaches an activation through normalisation alone.
  func convolution(directlyBelow activation: Int) -> Int? {
    var source = network.nodes[activation].sources.first
    while case .node(let node)? = source {
      switch linearity(node) {
      case .entrywiseAffine: source = network.nodes[node].sources.first
      case .affine:
        guard let layer = network.nodes[node].layer as? Networks.Convolution else { return nil }
        return layer.variant == .plain ? node : nil
      default: return nil
      }
    }
    return nil
  }

  /// Without the equations of suspected channels.
  ///
  /// - Parameters:
  ///   - elements: The channels on the last axis.
  ///   - node: The layer whose equations they belong to.
  ///   - outputs: How many channels there are.
  /// - Returns: The same with zeros in suspected channels.
  func withoutSuspects(_ elements: [Double], at node: Int, outputs: Int) -> [Double] {
    guard let suspicion, suspicion.convolution == node else { return elements }
    return elements.indices.map {
      suspicion.channels.contains($0 % outputs) ? 0 : elements[$0]
    }
  }

  /// Reads the signs off the activation's input, now that it can be computed, and carries the
  /// corrected loss gradient down to `source`.
  ///
  /// - Throws: ``CascadeStop`` if the signs still contradict the gradients of biases.
  func repair(
    _ suspicion: Suspicion, down source: Network.Source, _ readers: [Int]
  ) throws(CascadeStop) {
    let activation = suspicion.activation
    self.suspicion = nil
    guard let below = network.nodes[activation].sources.first,
      case .elementwise(let function) = linearity(activation), let levels = function.levels,
      let arriving = gradients[.node(activation)], let entering = try complete(below)
    else { throw CascadeStop("the signs cannot be repaired", at: activation) }
    unrestricted[.node(activation)] = entering.values
    maps[.node(activation)] = KnownMap(
      entering.values.map { function.value($0) ?? $0 }, errors: entering.errors)
    var gradient = zip(arriving, entering.values).map { $0 * (function.slope($1) ?? 0) }
    let wrong = correctSigns(of: &gradient, arriving: arriving, at: activation, levels)
    guard wrong.isEmpty else {
      withdraw(.node(activation))
      throw contradiction(wrong.count, at: activation)
    }
    corrections += suspicion.channels.count
    gradients[below] = gradient
    var next = below
    while case .node(let node) = next, let before = network.nodes[node].sources.first {
      try gather(before, self.readers(of: before))
      if before == source { return }
      next = before
    }
  }

  func contradiction(_ channels: Int, at node: Int) -> CascadeStop {
    CascadeStop(
      "\(channels) channels of '\(network.nodes[node].name)' have a sign pattern that contradicts "
        + "the gradient of their bias", at: node)
  }
}
