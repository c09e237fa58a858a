internal import Networks

/// Which values of a network follow from what enters one of its layers, by inversion and by
/// computing on.
struct Determination {
  private let network: Network
  private(set) var known: Set<Network.Source> = []

  /// Whether every model input follows.
  var reachesInput: Bool {
    !network.inputShapes.isEmpty
      && network.inputShapes.indices.allSatisfy { known.contains(.input($0)) }
  }

  /// - Complexity: O(*nodes*²) at worst; each sweep over the nodes has to find something new.
  init(_ network: Network, from node: Int) {
    self.network = network
    known = Set(network.nodes[node].sources)
    var count = 0
    while known.count > count {
      count = known.count
      for index in network.nodes.indices.reversed() where index < node { invert(index) }
      for index in network.nodes.indices where index < node { compute(index) }
    }
  }

  /// Adds what enters a node whose output is known.
  private mutating func invert(_ index: Int) {
    let node = network.nodes[index]
    guard node.mismatch == nil else { return }
    if let selection = node.layer as? Selection {
      join(selection, of: node.sources[0])
      return
    }
    guard known.contains(.node(index)) else { return }
    if let merge = node.layer as? Merge {
      let open = Set(node.sources.filter { !known.contains($0) })
      if merge.passesElementsOn { known.formUnion(open) }
      if merge.operation == .add, let last = open.first, open.count == 1,
        node.sources.count(where: { $0 == last }) == 1
      {
        known.insert(last)
      }
      return
    }
    if node.sources.count == 1, keepsAll(node) { known.insert(node.sources[0]) }
  }

  /// Adds what leaves a node of which everything that enters is known.
  private mutating func compute(_ index: Int) {
    let node = network.nodes[index]
    guard !(node.layer is CustomLayer), node.mismatch == nil, !node.sources.isEmpty,
      node.sources.allSatisfy(known.contains)
    else { return }
    known.insert(.node(index))
  }

  /// Adds what several selections have taken apart, if all parts are known.
  private mutating func join(_ selection: Selection, of source: Network.Source) {
    guard case .node(let before) = source, let shape = network.nodes[before].outputShape else {
      return
    }
    let place = selection.axis < 0 ? shape.count + selection.axis : selection.axis
    guard shape.indices.contains(place), let extent = shape[place] else { return }
    var parts: Set<Int> = []
    for reader in network.consumers(of: before) where known.contains(.node(reader)) {
      guard let other = network.nodes[reader].layer as? Selection, other.axis == selection.axis
      else { continue }
      parts.insert(other.index < 0 ? extent + other.index : other.index)
    }
    if parts.count == extent { known.insert(source) }
  }

  /// Whether a layer with one input gives at least as many values, each step of it invertible.
  private func keepsAll(_ node: Network.Node) -> Bool {
    switch node.layer {
    case is Dense, is Convolution:
      guard let inputs = node.inputShape?.elementCount,
        let outputs = node.outputShape?.elementCount
      else { return false }
      return outputs >= inputs
    case is BatchNormalization: return true
    default:
      return switch node.layer.treatment {
      case .unchanged, .unchangedAtInference, .affine: true
      case .elementwise(let function): function.isStrictlyIncreasing
      case .mixed: false
      }
    }
  }
}

extension ActivationFunction {
  /// Whether every output belongs to one input.
  fileprivate var isStrictlyIncreasing: Bool {
    switch self {
    case .linear, .sigmoid, .tanh, .softplus, .softsign, .selu, .exponential: true
    case .leakyReLU(let slope): slope > 0
    case .elu(let alpha): alpha > 0
    default: false
    }
  }
}
