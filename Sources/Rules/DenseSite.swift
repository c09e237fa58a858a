package import Networks

/// A dense layer in its place, with what several rules ask about it.
package struct DenseSite: Sendable {
  /// How often one sample passes the layer.
  package enum Use: Sendable, Hashable {
    /// Once, as a vector.
    case oncePerSample
    /// Once per position, with the same weights; the number where it is known.
    case oncePerPosition(Int?)
    /// The arriving shape is not known.
    case unknown
  }

  /// The index of the node.
  package var node: Int
  package var name: String
  package var outputs: Int
  package var hasBias: Bool
  /// Number of input features, if it is known.
  package var inputs: Int?
  package var use: Use
}

extension Subject {
  /// The dense layers whose shapes fit, in node order.
  package var denseSites: [DenseSite] {
    network.nodes.indices.compactMap { denseSite($0) }
  }

  /// The dense layers that read a model input, in node order, each with the way the input takes.
  package var denseNodesFacingInput: [(site: DenseSite, path: InputPath)] {
    denseSites.compactMap { site in inputPath(to: site.node).map { (site, $0) } }
  }

  /// The dense layers whose output is the model's output, with nothing behind them but softmax,
  /// sigmoid and layers that change no element; in node order.
  package var denseNodesFacingOutput: [(site: DenseSite, activation: ActivationFunction?)] {
    var found: [Int: ActivationFunction?] = [:]
    for last in network.nodes.indices where network.isLast(last) {
      var current = last
      var activation: ActivationFunction?
      while let before = activationSource(of: current) {
        if let layer = network.nodes[current].layer as? Activation, layer.function != .linear {
          guard activation == nil else { break }
          activation = layer.function
        }
        current = before
      }
      guard network.nodes[current].layer is Dense else { continue }
      found[current] = .some(activation)
    }
    return denseSites.compactMap { site in found[site.node].map { (site, $0) } }
  }

  /// The dense layer at node `index`, if there is one that its input fits.
  package func denseSite(_ index: Int) -> DenseSite? {
    let node = network.nodes[index]
    guard let dense = node.layer as? Dense, node.mismatch == nil else { return nil }
    return DenseSite(
      node: index, name: node.name, outputs: dense.outputs, hasBias: dense.hasBias,
      inputs: (node.inputShape?.last ?? nil) ?? dense.inputs, use: Self.use(of: node.inputShape))
  }

  private static func use(of shape: Shape?) -> DenseSite.Use {
    guard let shape, !shape.isEmpty else { return .unknown }
    guard shape.count > 1 else { return .oncePerSample }
    let positions = Array(shape.dropLast()).elementCount
    return positions == 1 ? .oncePerSample : .oncePerPosition(positions)
  }

  /// The node in front of `index` if `index` holds nothing but an output activation.
  private func activationSource(of index: Int) -> Int? {
    let node = network.nodes[index]
    guard node.sources.count == 1, case .node(let before) = node.sources[0], before < index,
      network.consumers(of: before).count == 1
    else { return nil }
    let function = (node.layer as? Activation)?.function
    let isOutput = function == .softmax || function == .sigmoid
    return isOutput || node.layer.treatment == .unchanged ? before : nil
  }
}

extension DenseSite {
  /// `784 inputs, 10 units`.
  package var size: String { (inputs.map { "\($0) inputs, " } ?? "") + "\(outputs) units" }

  /// `all 784 input values`, or without the number where it is open.
  package var allInputs: String { inputs.map { "all \($0) input values" } ?? "every input value" }
}
