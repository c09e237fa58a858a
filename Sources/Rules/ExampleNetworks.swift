internal import AuditModel
internal import Networks
internal import Tensors

/// Networks with weights for the examples of rules, the same on every machine.
extension Subject {
  /// A chain of named layers with weights as PyTorch draws them, some of which may be replaced.
  static func drawn(
    _ artifact: String, input: Shape, _ layers: KeyValuePairs<String, any Layer>,
    statistics: RunningStatistics = .fresh, changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    drawn(artifact, Network(artifact, input: input, layers), statistics, changing)
  }

  /// A network with weights as PyTorch draws them, some of which may be replaced.
  static func drawn(
    _ artifact: String, _ network: Network, _ statistics: RunningStatistics = .fresh,
    _ changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    // An example whose layers have no known parameters is a mistake in its rule.
    guard
      let table = try? network.initialParameters(.pyTorch, seed: 6, statistics: statistics)
    else { preconditionFailure("the example '\(artifact)' has a layer without known parameters") }
    var weights = ExampleWeights(network: network, table: table)
    changing(&weights)
    return Subject(artifact: artifact, network: network, parameters: weights.table)
  }

  /// A perceptron on 64 values: 'hidden' with 32 units, ReLU, 'logits' with 10.
  static func drawnPerceptron(
    _ artifact: String, changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    drawn(
      artifact, input: [64],
      [
        "hidden": Dense(outputs: 32), "relu": Activation(.relu), "logits": Dense(outputs: 10),
      ], changing: changing)
  }

  /// ``drawnPerceptron(_:changing:)`` with the unchanged one as its reference.
  static func comparedPerceptron(
    _ artifact: String, changing: (inout ExampleWeights) -> Void
  ) -> Subject {
    let kept = drawnPerceptron("kept")
    var subject = drawnPerceptron(artifact, changing: changing)
    subject.reference = kept.parameters.map {
      Reference(artifact: "the reference", network: kept.network, parameters: $0.table)
    }
    return subject
  }
}

/// Weights of an example, by the names of its layers and in PyTorch's order of axes.
struct ExampleWeights {
  let network: Network
  fileprivate(set) var table: ParameterTable
  /// A stream of numbers for replacements.
  var random = SplitMix64(seed: 7)

  subscript(_ layer: String, _ role: ParameterRole) -> [Double] {
    get { node(layer).flatMap { table[$0, role]?.elements() } ?? [] }
    set {
      guard let node = node(layer), let old = table[node, role] else {
        preconditionFailure("the example has no \(role) in '\(layer)'")
      }
      table[node, role] = Tensor(newValue, shape: old.shape)
    }
  }

  /// Replaces every row of a weight.
  mutating func setRows(
    of layer: String, role: ParameterRole = .weight,
    _ row: (_ index: Int, _ old: [Double], _ random: inout SplitMix64) -> [Double]
  ) {
    let old = self[layer, role]
    guard let rows = node(layer).flatMap({ table[$0, role]?.shape.first }), rows > 0 else { return }
    let width = old.count / rows
    var new: [Double] = []
    for index in 0..<rows {
      new += row(index, Array(old[index * width..<(index + 1) * width]), &random)
    }
    self[layer, role] = new
  }

  private func node(_ layer: String) -> Int? {
    network.nodes.firstIndex { $0.name == layer }
  }
}
