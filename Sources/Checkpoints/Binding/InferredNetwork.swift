package import Networks
internal import Tensors

/// A network guessed from parameter names and shapes, for files that state no architecture.
///
/// Layers without parameters cannot be seen: the result is marked as inferred, and whoever uses it
/// says so. Dense layers are put into the order in which their shapes chain.
package enum InferredNetwork {
  package static func build(
    name: String, from tensors: [NamedTensor], convention: ParameterTable.Convention
  ) -> Network? {
    let groups = LayerGroup.all(of: tensors)
    guard !groups.isEmpty else { return nil }
    let kinds = groups.map { ($0, $0.layer(convention: convention)) }
    let others = kinds.filter { !($0.1 is Dense) }
    let dense = chained(kinds.compactMap { group, layer in (layer as? Dense).map { (group, $0) } })
    let ordered = others + dense.map { ($0.0, $0.1 as any Layer) }
    let nodes = ordered.enumerated().map { index, entry in
      Network.Node(
        name: entry.0.name, layer: entry.1, sources: [index == 0 ? .input(0) : .node(index - 1)])
    }
    let shapes: [Shape] =
      others.isEmpty ? dense.first?.1.inputs.map { [[$0]] } ?? [] : []
    return Network(name, origin: .inferred, inputShapes: shapes, nodes: nodes)
  }

  /// Orders dense layers so that each one's inputs are the outputs of the one before, if that can
  /// be done; ties keep the order of their names.
  private static func chained(_ layers: [(LayerGroup, Dense)]) -> [(LayerGroup, Dense)] {
    let names = zip(layers, layers.dropFirst())
    if names.allSatisfy({ $0.1.outputs == $1.1.inputs }) { return layers }
    guard layers.count <= 64 else { return layers }
    for start in layers.indices {
      var left = layers
      var chain = [left.remove(at: start)]
      while let last = chain.last,
        let next = left.firstIndex(where: { $0.1.inputs == last.1.outputs })
      {
        chain.append(left.remove(at: next))
      }
      if left.isEmpty { return chain }
    }
    return layers
  }
}

/// The parameters of one layer.
struct LayerGroup {
  var path: [String]
  var tensors: [NamedTensor]

  var name: String { path.isEmpty ? "model" : path.joined(separator: "/") }

  /// Groups in the order of their first tensor.
  static func all(of tensors: [NamedTensor]) -> [LayerGroup] {
    var order: [[String]] = []
    var members: [[String]: [NamedTensor]] = [:]
    for tensor in tensors {
      if members[tensor.layer] == nil { order.append(tensor.layer) }
      members[tensor.layer, default: []].append(tensor)
    }
    return order.map { LayerGroup(path: $0, tensors: members[$0, default: []]) }
  }

  private func tensor(_ role: ParameterRole) -> Tensor? {
    tensors.first { $0.role == role }?.tensor
  }

  /// The kind of layer that has parameters of these roles and ranks.
  func layer(convention: ParameterTable.Convention) -> any Layer {
    let hint = path.last?.lowercased() ?? ""
    let unknown = CustomLayer(className: name, carriesCode: false)
    if tensor(.runningMean) != nil { return BatchNormalization() }
    if let table = tensor(.embeddings), table.shape.count == 2 {
      return Embedding(tokens: table.shape[0], width: table.shape[1])
    }
    if let tensor = tensors.first, tensor.tensor.shape.count == 1, tensors.count <= 2,
      tensors.allSatisfy({ $0.tensor.shape == tensor.tensor.shape }),
      [.weight, .scale].contains(tensor.role) || self.tensor(.scale) != nil
        || self.tensor(.weight) != nil
    {
      return Normalization(.unstated("normalization"))
    }
    guard let weight = tensor(.weight),
      tensors.allSatisfy({ $0.role == .weight || $0.role == .bias })
    else { return unknown }
    let bias = tensor(.bias)
    switch weight.shape.count {
    case 2:
      if bias == nil, hint.contains("emb") || hint == "wte" || hint == "wpe" {
        return Embedding(tokens: weight.shape[0], width: weight.shape[1])
      }
      let isFirst = convention == .channelsFirst
      return Dense(
        outputs: weight.shape[isFirst ? 0 : 1], hasBias: bias != nil,
        inputs: weight.shape[isFirst ? 1 : 0])
    case 3...5:
      let isFirst = convention == .channelsFirst
      return Convolution(
        filters: isFirst ? weight.shape[0] : weight.shape[weight.shape.count - 1],
        kernel: Array(isFirst ? weight.shape.dropFirst(2) : weight.shape.dropLast(2)),
        hasBias: bias != nil, channelsFirst: isFirst)
    default: return unknown
    }
  }
}
