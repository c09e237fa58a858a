internal import Networks
internal import Tensors

/// Files by `model.save("x.h5")` and `save_weights("x.h5")` of Keras 1, 2 and 3, and gradients
/// saved beside a `model_config`.
///
/// Weights are found through the `weight_names` attributes, never by guessed paths: old files repeat
/// the layer name with a suffix, new ones prefix the model's.
struct KerasLegacyH5: CheckpointFormat {
  static let name = "keras-legacy-h5"

  func recognises(_ file: ParsedFile) -> Bool {
    let container = file.container
    return container.attributes[""]?["model_config"] != nil
      || container.texts("layer_names", of: "") != nil
      || container.texts("layer_names", of: "model_weights") != nil
  }

  func read(_ file: ParsedFile) throws(CheckpointError) -> Contents {
    let container = file.container
    var contents = Contents(format: Self.name, convention: .channelsLast)
    if container.attributes[""]?["model_config"] != nil {
      guard let text = container.text("model_config") else {
        throw CheckpointError(
          .architecture(detail: "attribute 'model_config' is not text"), file: file.path)
      }
      contents.architecture = try KerasArchitecture.network(
        from: text, training: container.text("training_config"), file: file.path)
    }
    let root = container.texts("layer_names", of: "model_weights") == nil ? "" : "model_weights"
    readWeights(below: root, of: container, into: &contents)
    contents.facts = ExchangeFacts(attributesOf: "", in: container)
    contents.gradients = GradientRecords.find(in: container, facts: contents.facts)
    contents.optimizer = KerasOptimizer.named(
      in: container, configuration: container.text("training_config"))
    if contents.isEmpty {
      throw CheckpointError(.nothingInside(detail: "no layer has weights"), file: file.path)
    }
    return contents
  }

  private func readWeights(
    below root: String, of container: Container, into contents: inout Contents
  ) {
    for layer in container.texts("layer_names", of: root) ?? [] {
      let group = root.isEmpty ? layer : root + "/" + layer
      guard container.groups.contains(group) else {
        contents.omissions.append(
          .init(path: group, reason: "listed in layer_names, but there is no such group"))
        continue
      }
      guard let names = container.texts("weight_names", of: group) else {
        contents.omissions.append(.init(path: group, reason: "its weight_names are not a list"))
        continue
      }
      for name in names {
        let path = group + "/" + name
        switch container.datasets[path] {
        case .numbers(let tensor, _):
          contents.parameters.append(Self.named(path: path, layer: layer, name, tensor))
        case .refused(_, let reason):
          contents.omissions.append(.init(path: path, reason: reason))
        case .text, nil:
          contents.omissions.append(
            .init(path: path, reason: "listed in weight_names, but there is no such dataset"))
        }
      }
    }
  }

  /// The layer is the group's name; inside a nested model the weight's own path goes on from there.
  private static func named(
    path: String, layer: String, _ name: String, _ tensor: Tensor
  ) -> NamedTensor {
    // Keras 1 joined layer and parameter by an underscore: `dense_1_W`.
    if !name.contains("/"), name.hasPrefix(layer + "_") {
      return NamedTensor(
        path: path, layer: [layer],
        role: ParameterRole(named: String(name.dropFirst(layer.count + 1))), tensor: tensor)
    }
    var named = NamedTensor(path: path, name: name, tensor: tensor)
    let isPlain =
      named.layer.last == layer
      || named.layer.count <= 1
        && named.layer.allSatisfy {
          $0.hasPrefix(layer)
        }
    named.layer = isPlain ? [layer] : [layer] + named.layer
    return named
  }
}
