package import Networks

/// Reads the architecture of this project's own layout; `LayoutDocument` describes it.
package enum ArchitectureJSON {
  package static func network(
    from text: String, channelsFirst: Bool, loss: String?, file: String
  ) throws(CheckpointError) -> Network {
    func failure(_ detail: String) -> CheckpointError {
      CheckpointError(.architecture(detail: detail), file: file)
    }
    guard let json = JSONValue(untrusted: text), let layers = json["layers"]?.array else {
      throw failure("attribute 'architecture' is not a JSON object with a list 'layers'")
    }
    var sources: [String: Network.Source] = [:]
    var shapes: [Shape] = []
    for input in json["inputs"]?.array ?? [] {
      guard let name = input["name"]?.string, let shape = input["shape"]?.shape,
        input["shape"]?.hasPlausibleExtents == true
      else {
        throw failure("an input needs 'name' and 'shape', each axis at most 2^30 long")
      }
      sources[name] = .input(shapes.count)
      shapes.append(shape)
    }
    var nodes: [Network.Node] = []
    for layer in layers {
      guard let name = layer["name"]?.string, let kind = layer["kind"]?.string else {
        throw failure("a layer needs 'name' and 'kind'")
      }
      guard let read = self.layer(kind, layer, channelsFirst) else {
        throw failure(
          "layer '\(name)' is of kind '\(kind)' with missing or impossible fields; known kinds: "
            + LayerCatalog.all.map { $0.kind }.joined(separator: ", "))
      }
      let names = layer["inputs"]?.array?.compactMap(\.string) ?? []
      let arriving = names.compactMap { sources[$0] }
      guard !arriving.isEmpty, arriving.count == names.count else {
        throw failure("layer '\(name)' reads from something that does not come before it")
      }
      guard sources[name] == nil else { throw failure("two layers are called '\(name)'") }
      sources[name] = .node(nodes.count)
      nodes.append(Network.Node(name: name, layer: read, sources: arriving))
    }
    guard !nodes.isEmpty else { throw failure("attribute 'architecture' lists no layer") }
    return Network(
      json["name"]?.string ?? "model", inputShapes: shapes, nodes: nodes, loss: loss)
  }

  private static func layer(
    _ kind: String, _ json: JSONValue, _ channelsFirst: Bool
  ) -> (any Layer)? {
    switch kind {
    case Dense.kind:
      guard let outputs = json["outputs"]?.extent else { return nil }
      return Dense(outputs: outputs, hasBias: json["bias"]?.bool ?? true)
    case Activation.kind: return activation(json).map { Activation($0) }
    case Flatten.kind: return Flatten()
    case Reshape.kind: return json["target"]?.shape.map { Reshape(target: $0) }
    case Dropout.kind: return Dropout(rate: json["rate"]?.number ?? 0)
    case Rescaling.kind:
      return Rescaling(scale: json["scale"]?.number ?? 1, offset: json["offset"]?.number ?? 0)
    case BatchNormalization.kind:
      return BatchNormalization(axis: json["axis"]?.integer ?? (channelsFirst ? 0 : nil))
    case Normalization.kind:
      return Normalization(name: json["class_name"]?.string ?? "normalization")
    case Convolution.kind: return convolution(json, channelsFirst)
    case Pooling.kind:
      let statistic = Pooling.Statistic(rawValue: json["statistic"]?.string ?? "")
      guard let statistic, let window = (json["window"] ?? .array([])).amounts,
        isPlausible(json["stride"])
      else { return nil }
      return Pooling(
        statistic, window: window, stride: json["stride"]?.amounts,
        isSame: json["padding"]?.string == "same", channelsFirst: channelsFirst)
    case Embedding.kind:
      guard let tokens = json["tokens"]?.extent, let width = json["width"]?.extent else {
        return nil
      }
      return Embedding(tokens: tokens, width: width)
    case Recurrent.kind:
      guard let units = json["units"]?.extent else { return nil }
      return Recurrent(
        cell: json["cell"]?.string ?? "recurrent", units: units,
        returnsSequences: json["returns_sequences"]?.bool ?? false)
    case Attention.kind: return Attention(name: json["class_name"]?.string ?? "attention")
    case Merge.kind: return Merge(operation: json["operation"]?.string ?? "merge")
    case Resampling.kind:
      return Resampling(name: json["class_name"]?.string ?? "resampling") { $0.map { _ in nil } }
    case CustomLayer.kind:
      return CustomLayer(className: json["class_name"]?.string ?? "unknown", carriesCode: false)
    default: return nil
    }
  }

  private static func activation(_ json: JSONValue) -> ActivationFunction? {
    guard let name = json["function"]?.string else { return nil }
    switch ActivationFunction(named: name) {
    case .leakyReLU(let usual): return .leakyReLU(slope: json["slope"]?.number ?? usual)
    case .elu(let usual): return .elu(alpha: json["alpha"]?.number ?? usual)
    case .gelu: return .gelu(approximate: json["approximate"]?.bool ?? false)
    case let function: return function
    }
  }

  /// Whether a field is left out, a word, or amounts that can be.
  private static func isPlausible(_ json: JSONValue?) -> Bool {
    guard let json, !json.isNull, json.string == nil else { return true }
    return json.amounts != nil
  }

  private static func convolution(_ json: JSONValue, _ channelsFirst: Bool) -> Convolution? {
    let variant = Convolution.Variant(rawValue: json["variant"]?.string ?? "plain")
    guard let variant, let filters = json["filters"]?.extent,
      let kernel = json["kernel"]?.amounts, !kernel.contains(0),
      isPlausible(json["stride"]), isPlausible(json["dilation"]), isPlausible(json["padding"])
    else { return nil }
    let padding: Convolution.Padding? =
      switch json["padding"]?.string {
      case "same": .same
      case "causal": .causal
      case "valid": .valid
      case nil: json["padding"].map { $0.amounts.map { .explicit($0) } ?? .valid } ?? .valid
      default: nil
      }
    guard let padding else { return nil }
    return Convolution(
      variant: variant, filters: filters, kernel: kernel, stride: json["stride"]?.amounts,
      dilation: json["dilation"]?.amounts, padding: padding, groups: json["groups"]?.extent ?? 1,
      hasBias: json["bias"]?.bool ?? true, channelsFirst: channelsFirst)
  }
}

extension JSONValue {
  /// A positive whole number of plausible size.
  ///
  /// Bounded so that no product of an extent and an amount overflows.
  var extent: Int? { integer.flatMap { $0 > 0 && $0 <= 1 << 30 ? $0 : nil } }

  /// One whole number of plausible size, or a list of them, such as a stride per axis.
  var amounts: [Int]? {
    integers.flatMap { $0.allSatisfy { (0...1 << 20).contains($0) } ? $0 : nil }
  }

  /// Whether no extent of a shape is longer than anything can be.
  var hasPlausibleExtents: Bool { array?.allSatisfy { $0.number ?? 0 <= 0x1p30 } ?? true }

  /// A list of extents; anything that is not a positive whole number is open.
  var shape: Shape? { array.map { $0.map(\.extent) } }
}
