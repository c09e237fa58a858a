internal import LinearAlgebra
internal import Networks

extension CascadeWalk {
  /// An activation some of whose channels have a sign pattern that contradicts the gradient of their
  /// bias.
  ///
  /// The other channels usually determine the input of a convolution below; with it, the weight
  /// gradient of a suspected channel is linear in the loss gradient of that channel, and tells the signs.
  struct Suspicion {
    var activation: Int
    /// The convolutions that only scales, shifts and sums of maps separate from the activation.
    var foundations: [Foundation]
    var channels: Set<Int>

    /// Whether equations of a convolution are in doubt.
    func concerns(_ node: Int) -> Bool { foundations.contains { $0.site.node == node } }
  }

  /// Without the equations of suspected channels.
  ///
  /// - Parameters:
  ///   - elements: The channels on the last axis.
  ///   - node: The layer whose equations they belong to.
  ///   - outputs: How many channels there are.
  /// - Returns: The same with zeros in suspected channels.
  func withoutSuspects(_ elements: [Double], at node: Int, outputs: Int) -> [Double] {
    guard let suspicion, suspicion.concerns(node) else { return elements }
    return elements.indices.map {
      suspicion.channels.contains($0 % outputs) ? 0 : elements[$0]
    }
  }

  /// Repairs a suspected sign pattern once the input of one of the convolutions below is known, and
  /// carries the corrected loss gradient down.
  ///
  /// - Throws: ``CascadeStop`` if the signs still contradict the gradients of biases.
  func repairIfPossible() throws(CascadeStop) {
    guard let suspicion else { return }
    for base in suspicion.foundations {
      guard let entering = network.nodes[base.site.node].sources.first,
        let input = try complete(entering)
      else { continue }
      self.suspicion = nil
      return try repair(suspicion, by: base, input.values)
    }
  }

  private func repair(
    _ suspicion: Suspicion, by base: Foundation, _ input: [Double]
  ) throws(CascadeStop) {
    let activation = suspicion.activation
    guard let below = network.nodes[activation].sources.first,
      case .elementwise(let function) = linearity(activation), let levels = function.levels,
      let arriving = gradients[.node(activation)], var gradient = gradients[below],
      var pattern = pattern(of: gradient, arriving: arriving, at: activation, levels)
    else { throw CascadeStop("the signs cannot be repaired", at: activation) }
    let site = base.site
    let groups = Dictionary(
      grouping: suspicion.channels.sorted(), by: { $0 / site.groupOutputs })
    for (group, channels) in groups.sorted(by: { $0.key < $1.key }) {
      let first = group * site.groupInputs
      let windows = site.windows(
        input, channels: site.inputs, first..<first + site.groupInputs)
      for channel in channels {
        for entry in base.wrongSigns(of: pattern, channel, windows) { pattern.flip(entry) }
      }
    }
    adopt(pattern, at: activation, &gradient)
    let wrong = correctSigns(of: &gradient, arriving: arriving, at: activation, levels)
    guard wrong.isEmpty else {
      withdraw(.node(activation))
      throw contradiction(wrong.count, at: activation)
    }
    gradients[below] = gradient
    try gatherAgain(below)
  }

  /// Brings the loss gradients that were found under a value in line with its own.
  private func gatherAgain(_ source: Network.Source) throws(CascadeStop) {
    guard case .node(let top) = source else { return }
    var changed: Set<Int> = [top]
    for node in (0..<top).reversed() where gradients[.node(node)] != nil {
      let readers = readers(of: .node(node))
      guard readers.contains(where: changed.contains) else { continue }
      try gather(.node(node), readers)
      changed.insert(node)
    }
  }

  func contradiction(_ channels: Int, at node: Int) -> CascadeStop {
    CascadeStop(
      "\(channels) channels of '\(network.nodes[node].name)' have a sign pattern that contradicts "
        + "the gradient of their bias", at: node)
  }
}

extension CascadeWalk.Foundation {
  /// No more entries of one channel are asked for their side.
  private static let doubtLimit = 256

  /// The entries of a channel that the weight gradient puts on the other side.
  ///
  /// What the weight gradient is short of, `W̄ − X z̄`, is a sum of patches of the input, one for
  /// each wrong entry, times what that entry's loss gradient changes by. The least-squares coefficients
  /// of all entries in doubt are one where a sign is wrong, and zero elsewhere.
  ///
  /// - Parameters:
  ///   - pattern: Of the activation above.
  ///   - channel: The channel.
  ///   - windows: The patches `X` of the input, `[taps · groupInputs, outputPlaces]`.
  /// - Returns: Those to flip, the least certain first; none if the patches do not tell.
  fileprivate func wrongSigns(
    of pattern: SignPattern, _ channel: Int, _ windows: DenseMatrix
  ) -> [Int] {
    let factor = factors[channel]
    let own = stride(from: channel, to: pattern.gradient.count, by: pattern.channels)
      .map { factor * pattern.gradient[$0] }
    let found = windows(own)
    let missing = found.indices.map {
      weightGradient[$0 * site.outputs + channel] - found[$0]
    }
    let limit = min(Self.doubtLimit, windows.rows / 2)
    let doubtful = pattern.doubtful(channel).filter { factor * pattern.change($0) != 0 }
      .prefix(limit)
    guard !doubtful.isEmpty else { return [] }
    var elements: [Double] = []
    for entry in doubtful {
      let change = factor * pattern.change(entry)
      elements += windows.column(entry / pattern.channels).map { change * $0 }
    }
    let matrix = DenseMatrix(rows: windows.rows, columns: doubtful.count, elements: elements)
    guard let factors = try? QRDecomposition(matrix) else { return [] }
    let shares = factors.solve(
      DenseMatrix(rows: missing.count, columns: 1, elements: missing)
    ).elements
    return zip(doubtful, shares).filter { $1 > 0.5 && $1 < 1.5 }.map(\.0)
  }
}
