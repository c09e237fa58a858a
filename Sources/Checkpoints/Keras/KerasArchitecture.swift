package import Networks

/// Turns a Keras `model_config` into a network.
///
/// - Sequential and functional models of Keras 1, 2 and 3, nested to any depth; a layer of an inner
///   model is named `inner/layer`.
/// - An activation inside a layer's configuration becomes a node of its own behind the layer.
/// - Nothing is executed or imported: a `Lambda` or a registered class becomes a ``CustomLayer``.
package struct KerasArchitecture {
  /// Reads the JSON text of a configuration.
  ///
  /// The loss is read from `training`, the text of `training_config`.
  ///
  /// - Throws: ``CheckpointError/Reason/architecture(detail:)``.
  package static func network(
    from text: String, training: String? = nil, file: String
  ) throws(CheckpointError) -> Network {
    guard let json = JSONValue(untrusted: text) else {
      throw CheckpointError(
        .architecture(
          detail: "model_config is not JSON within \(JSONValue.byteLimit.byteText) and "
            + "\(JSONValue.depthLimit) levels"), file: file)
    }
    var builder = KerasArchitecture(file: file)
    let last = try builder.add(model: json, prefix: "", arriving: nil, depth: 0)
    guard let last, !builder.nodes.isEmpty else {
      throw CheckpointError(.architecture(detail: "model_config lists no layer"), file: file)
    }
    let loss = training.flatMap { JSONValue(untrusted: $0) }.flatMap(Self.loss) ?? Self.loss(json)
    return Network(
      json["config"]?["name"]?.string ?? "model", inputShapes: builder.inputShapes,
      nodes: builder.nodes, loss: loss,
      outputs: last.compactMap { source in
        if case .node(let index) = source { index } else { nil }
      })
  }

  private static func loss(_ json: JSONValue) -> String? {
    let loss = json["loss"] ?? json["compile_config"]?["loss"]
    return loss?.string ?? loss?["class_name"]?.string ?? loss?["config"]?.string
  }

  private let file: String
  private var nodes: [Network.Node] = []
  private var inputShapes: [Shape] = []

  private init(file: String) { self.file = file }

  private static let modelClasses: Set<String> = ["Sequential", "Functional", "Model"]

  private func failure(_ detail: String) -> CheckpointError {
    CheckpointError(.architecture(detail: detail), file: file)
  }

  /// Adds a model's layers and returns what leaves it; `arriving` feeds an inner model.
  private mutating func add(
    model: JSONValue, prefix: String, arriving: [Network.Source]?, depth: Int
  ) throws(CheckpointError) -> [Network.Source]? {
    guard depth <= 16 else { throw failure("models are nested deeper than 16") }
    // Keras before 2.2.3 wrote a Sequential model's layers as a bare list.
    guard let layers = model["config"]?["layers"]?.array ?? model["config"]?.array else {
      throw failure("'\(model["class_name"]?.string ?? "model_config")' has no list of layers")
    }
    let isSequential = model["class_name"]?.string == "Sequential"
    var outputs: [String: [Network.Source]] = [:]
    var previous = arriving
    var inputIndex = 0
    for layer in layers {
      guard let className = layer["class_name"]?.string else {
        throw failure("a layer has no class_name")
      }
      let name = layer["config"]?["name"]?.string ?? layer["name"]?.string ?? className
      let reference = layer["name"]?.string ?? name
      let sources: [Network.Source]
      if className == "InputLayer" {
        sources = try input(layer, arriving: arriving, at: inputIndex)
        inputIndex += 1
        outputs[reference] = sources
        previous = sources
        continue
      } else if isSequential {
        if let previous {
          sources = previous
        } else {
          sources = try input(layer, arriving: nil, at: inputIndex)
        }
      } else {
        let names = InboundNodes.names(in: layer["inbound_nodes"])
        sources = names.flatMap { outputs[$0] ?? [] }
        if sources.isEmpty || names.contains(where: { outputs[$0] == nil }) {
          throw failure(
            "layer '\(name)' reads from "
              + (names.first { outputs[$0] == nil }.map { "'\($0)', which does not come before it" }
                ?? "nothing"))
        }
      }
      let full = prefix.isEmpty ? name : prefix + "/" + name
      if Self.modelClasses.contains(className) {
        previous = try add(model: layer, prefix: full, arriving: sources, depth: depth + 1)
      } else {
        previous = [append(layer, className: className, name: full, sources: sources)]
      }
      outputs[reference] = previous
    }
    let leaving = isSequential ? [] : InboundNodes.names(in: model["config"]?["output_layers"])
    let declared = leaving.flatMap { outputs[$0] ?? [] }
    return declared.isEmpty ? previous : declared
  }

  /// An input layer: a new model input, or what feeds the inner model.
  private mutating func input(
    _ layer: JSONValue, arriving: [Network.Source]?, at index: Int
  ) throws(CheckpointError) -> [Network.Source] {
    if let arriving, !arriving.isEmpty { return [arriving[min(index, arriving.count - 1)]] }
    let stated = Self.batchShape(of: layer)
    guard stated?.hasPlausibleExtents ?? true else {
      throw failure("an input has an axis longer than 2^30")
    }
    inputShapes.append(stated?.shape.map { Array($0.dropFirst()) } ?? [])
    return [.input(inputShapes.count - 1)]
  }

  /// The input shape a layer states, with the batch axis.
  private static func batchShape(of layer: JSONValue) -> JSONValue? {
    let config = layer["config"]
    return config?["batch_shape"] ?? config?["batch_input_shape"]
      ?? layer["build_config"]?["input_shape"]
  }

  /// Adds one layer and, where its configuration names one, the activation behind it.
  private mutating func append(
    _ layer: JSONValue, className: String, name: String, sources: [Network.Source]
  ) -> Network.Source {
    let kind = KerasLayers.layer(className: className, configuration: layer)
    var sources = sources
    if kind is Attention {
      sources = KerasLayers.attentionSources(sources, call: layer["inbound_nodes"])
    }
    var node = Network.Node(name: name, layer: kind, sources: sources)
    node.isShared = InboundNodes.callCount(of: layer) > 1
    nodes.append(node)
    let inner = layer["config"]?["activation"]
    guard kind is Dense || kind is Convolution, let inner, !inner.isNull else {
      return .node(nodes.count - 1)
    }
    let function = KerasLayers.activation(inner)
    guard function != .linear else { return .node(nodes.count - 1) }
    nodes.append(
      Network.Node(
        name: "\(name) (\(function.name))", layer: Activation(function),
        sources: [.node(nodes.count - 1)]))
    return .node(nodes.count - 1)
  }
}

/// The layer names that a functional model's `inbound_nodes` or `output_layers` refer to.
enum InboundNodes {
  /// Keras 2 writes `[[["conv", 0, 0, {}], …]]`; Keras 3 writes tensors with a `keras_history`.
  ///
  /// Only the first call of a layer counts: a shared layer is one node here.
  static func names(in json: JSONValue?) -> [String] {
    guard let calls = json?.array else { return [] }
    if let name = reference(.array(calls)) { return [name] }
    guard let first = calls.first else { return [] }
    if calls.allSatisfy({ reference($0) != nil }) { return calls.flatMap(collect) }
    return collect(first)
  }

  /// How often a layer of a functional model is called.
  static func callCount(of layer: JSONValue) -> Int {
    guard let calls = layer["inbound_nodes"]?.array, reference(.array(calls)) == nil,
      !calls.allSatisfy({ reference($0) != nil })
    else { return 1 }
    return calls.count
  }

  private static func collect(_ json: JSONValue) -> [String] {
    if let name = reference(json) {
      // Keras 2 lists what is given by keyword behind the reference.
      return [name] + (json.array?.dropFirst(3).flatMap(collect) ?? [])
    }
    if let name = json["config"]?["keras_history"]?.array?.first?.string { return [name] }
    if let values = json.array { return values.flatMap(collect) }
    if case .object(let members) = json {
      return members.keys.sorted().flatMap { members[$0].map(collect) ?? [] }
    }
    return []
  }

  private static func reference(_ json: JSONValue) -> String? {
    guard let parts = json.array, parts.count >= 3, let name = parts[0].string,
      // A constant stands as `["_CONSTANT_VALUE", -1, value]`.
      let call = parts[1].integer, call >= 0, parts[2].integer != nil
    else { return nil }
    return name
  }
}
