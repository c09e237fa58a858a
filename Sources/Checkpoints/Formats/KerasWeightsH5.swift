internal import Networks
internal import Tensors

/// Weights by `save_weights("x.weights.h5")` of Keras 3 and of Keras 2.12 and later.
///
/// Variables are numbered, layers are called after their class in creation order, and the layer's
/// real name, where it is stored, is attribute `name` of the `vars` group. The architecture comes
/// from the archive around the file or from a sibling file, if there is one.
struct KerasWeightsH5: CheckpointFormat {
  static let name = "keras-weights-h5"

  func recognises(_ file: ParsedFile) -> Bool {
    file.container.groups.contains { group in
      group.lastComponent == "vars" && !group.hasPrefix("optimizer")
    }
  }

  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    let container = file.container
    var contents = Contents(format: Self.name, convention: .channelsLast)
    if let text = file.configuration {
      contents.architecture = try KerasArchitecture.network(from: text, file: file.path)
    }
    let names = file.configuration.map { KerasClassNames(configuration: $0) }
    for group in container.groups.sorted(by: NaturalOrder.precedes)
    where group.lastComponent == "vars" && Self.holdsWeights(group) {
      let place = String(group.parent)
      let layer =
        Self.projection(at: place, names, in: container)
        ?? names?.layer(at: Self.owner(of: place)) ?? container.text("name", of: group).map { [$0] }
        ?? Self.components(of: place)
      readVariables(in: group, layer: layer, of: container, into: &contents)
    }
    contents.facts = ExchangeFacts(attributesOf: "", in: container)
    contents.gradients = GradientRecords.find(in: container, facts: contents.facts)
    contents.optimizer = KerasOptimizer.numbered(in: container, configuration: file.configuration)
    if contents.isEmpty {
      throw CheckpointError(.nothingInside(detail: "no layer has variables"), file: file.path)
    }
    return contents
  }

  private static func holdsWeights(_ group: String) -> Bool {
    guard let first = group.components.first else { return false }
    let others: Set<Substring> = ["optimizer", "metrics", "compile_metrics", "_loss_tracker"]
    return !others.contains(first) && !group.components.contains("seed_generator")
  }

  /// The place of the layer itself: a recurrent layer keeps its variables in its `cell`.
  private static func owner(of place: String) -> String {
    place.lastComponent == "cell" ? String(place.parent) : place
  }

  /// The name parts of a projection inside an attention layer, which has a group of its own.
  private static func projection(
    at place: String, _ names: KerasClassNames?, in container: Container
  ) -> [String]? {
    let part = place.lastComponent
    guard ["query_dense", "key_dense", "value_dense", "output_dense"].contains(part) else {
      return nil
    }
    let attention = String(place.parent)
    let name =
      names?.layer(at: attention)
      ?? container.text("name", of: attention + "/vars").map { [$0] } ?? components(of: attention)
    return name + [part == "output_dense" ? "attention_output" : String(part.dropLast(6))]
  }

  private static func components(of place: String) -> [String] {
    place.components.filter { $0 != "layers" && $0 != "_layer_checkpoint_dependencies" }
      .map(String.init)
  }

  private func readVariables(
    in group: String, layer: [String], of container: Container, into contents: inout Contents
  ) {
    let className = String(Self.owner(of: String(group.parent)).lastComponent)
    let tensors = container.names(in: group).compactMap { name -> (String, Tensor)? in
      let path = group + "/" + name
      if case .refused(_, let reason) = container.datasets[path] {
        contents.omissions.append(.init(path: path, reason: reason))
      }
      return container.tensor(path).map { (path, $0) }
    }
    let roles = Self.roles(className: className, ranks: tensors.map(\.1.shape.count))
    for ((path, tensor), role) in zip(tensors, roles) {
      contents.parameters.append(
        NamedTensor(path: path, layer: layer, role: role, tensor: tensor))
    }
  }

  /// The order in which a Keras class creates its variables.
  private static func roles(className: String, ranks: [Int]) -> [ParameterRole] {
    let stem = className.replacing(/_[0-9]+$/, with: "")
    let known: [ParameterRole] =
      switch stem {
      case "batch_normalization": [.scale, .shift, .runningMean, .runningVariance]
      case "layer_normalization", "group_normalization": [.scale, .shift]
      case "embedding": [.embeddings]
      case "separable_conv1d", "separable_conv2d":
        [.other("depthwise_kernel"), .other("pointwise_kernel"), .bias]
      case "lstm", "gru", "simple_rnn", "lstm_cell", "gru_cell", "simple_rnn_cell":
        [.weight, .other("recurrent_kernel"), .bias]
      default: ranks.first ?? 0 >= 2 && ranks.count <= 2 ? [.weight, .bias] : []
      }
    return ranks.indices.map { known.indices.contains($0) ? known[$0] : .other("\($0)") }
  }
}
