internal import Networks

/// One layer of this project's own layout.
struct LayerJSON {
  private let json: JSONValue
  private let channelsFirst: Bool

  init(_ json: JSONValue, channelsFirst: Bool) {
    self.json = json
    self.channelsFirst = channelsFirst
  }

  /// - Returns: `nil` if the kind is not known, or a field is missing or cannot be.
  func layer(_ kind: String) -> (any Layer)? {
    switch kind {
    case Dense.kind:
      return json["outputs"]?.extent.map { Dense(outputs: $0, hasBias: flag("bias") ?? true) }
    case Activation.kind: return json["function"]?.string.map { Activation(function(named: $0)) }
    case Flatten.kind: return Flatten()
    case Reshape.kind: return json["target"]?.shape.map { Reshape(target: $0) }
    case Dropout.kind: return Dropout(rate: json["rate"]?.number ?? 0)
    case Rescaling.kind:
      return Rescaling(scale: json["scale"]?.number ?? 1, offset: json["offset"]?.number ?? 0)
    case BatchNormalization.kind:
      return BatchNormalization(
        axis: json["axis"]?.integer ?? (channelsFirst ? 0 : nil),
        epsilon: json["epsilon"]?.number ?? 1e-5, hasScale: flag("has_scale") ?? true,
        hasShift: flag("has_shift") ?? true)
    case Normalization.kind: return normalization()
    case Convolution.kind: return convolution()
    case Pooling.kind: return pooling()
    case Embedding.kind:
      guard let tokens = json["tokens"]?.extent, let width = json["width"]?.extent else {
        return nil
      }
      return Embedding(tokens: tokens, width: width, paddingToken: json["padding_token"]?.small)
    case Recurrent.kind: return recurrent()
    case Attention.kind: return attention()
    case Merge.kind: return merge()
    case Resampling.kind: return resampling()
    case Selection.kind:
      guard let axis = json["axis"]?.small, let index = json["index"]?.small else { return nil }
      return Selection(axis: axis, index: index)
    case ClassToken.kind: return ClassToken()
    case PositionEmbedding.kind: return PositionEmbedding()
    case CustomLayer.kind:
      return CustomLayer(className: json["class_name"]?.string ?? "unknown", carriesCode: false)
    default: return nil
    }
  }

  private func flag(_ name: String) -> Bool? { json[name]?.bool }

  private func function(named name: String) -> ActivationFunction {
    switch ActivationFunction(named: name) {
    case .leakyReLU(let usual): .leakyReLU(slope: json["slope"]?.number ?? usual)
    case .elu(let usual): .elu(alpha: json["alpha"]?.number ?? usual)
    case .gelu: .gelu(approximate: flag("approximate") ?? false)
    case let function: function
    }
  }
}

// MARK: - Windows

extension LayerJSON {
  /// Whether a field is left out, a word, or amounts that can be.
  private func isPlausible(_ json: JSONValue?) -> Bool {
    guard let json, !json.isNull, json.string == nil else { return true }
    return json.amounts != nil
  }

  /// An amount per axis; one amount stands for all.
  private func amounts(_ name: String, _ axes: Int) -> [Int]? {
    json[name]?.amounts.map { $0.count == 1 ? Array(repeating: $0[0], count: axes) : $0 }
  }

  /// Valid where nothing is stated.
  ///
  /// - Returns: `nil` if what is stated cannot be.
  private func padding(_ axes: Int) -> SpatialPadding? {
    guard let stated = json["padding"], !stated.isNull else { return .valid }
    if let word = stated.string {
      return switch word {
      case "same": .same
      case "causal": .causal
      case "valid": .valid
      default: nil
      }
    }
    if let (low, high) = stated.pairs { return .sides(low: low, high: high) }
    guard let amounts = amounts("padding", axes) else { return stated.array == nil ? .valid : nil }
    return .explicit(amounts)
  }

  private func convolution() -> Convolution? {
    let variant = Convolution.Variant(rawValue: json["variant"]?.string ?? "plain")
    guard let variant, let filters = json["filters"]?.extent,
      let kernel = json["kernel"]?.amounts, !kernel.contains(0), !kernel.isEmpty,
      isPlausible(json["stride"]), isPlausible(json["dilation"]),
      isPlausible(json["output_padding"]), var padding = padding(kernel.count)
    else { return nil }
    let outputPadding = amounts("output_padding", kernel.count)
    if variant == .transposed, channelsFirst, padding == .valid {
      // As PyTorch counts it; Keras' `valid` is longer where the stride exceeds the kernel.
      padding = .explicit(kernel.map { _ in 0 })
    }
    return Convolution(
      variant: variant, filters: filters, kernel: kernel, stride: amounts("stride", kernel.count),
      dilation: amounts("dilation", kernel.count), padding: padding,
      groups: json["groups"]?.extent ?? 1, hasBias: flag("bias") ?? true,
      channelsFirst: channelsFirst, multiplier: json["multiplier"]?.extent ?? 1,
      outputPadding: outputPadding, hasSwappedKernel: flag("swapped_kernel") ?? false)
  }

  private func pooling() -> Pooling? {
    let statistic = Pooling.Statistic(rawValue: json["statistic"]?.string ?? "")
    guard let statistic, let window = (json["window"] ?? .array([])).amounts,
      isPlausible(json["stride"]), isPlausible(json["dilation"]),
      isPlausible(json["output_extents"]), let padding = padding(window.count)
    else { return nil }
    let stride = amounts("stride", window.count)
    return Pooling(
      statistic, window: window, stride: stride, padding: padding,
      dilation: amounts("dilation", window.count), roundsUp: flag("ceil_mode") ?? false,
      countsPadding: flag("counts_padding") ?? false, keepsAxes: flag("keeps_axes") ?? false,
      outputExtents: json["output_extents"]?.amounts,
      channelsFirst: channelsFirst && flag("channels_last") != true)
  }

  private func resampling() -> Resampling {
    let name = json["class_name"]?.string ?? "resampling"
    return Resampling(
      operation() ?? .unstated(name, output: json["output_shape"]?.shape),
      channelsFirst: channelsFirst)
  }

  private func operation() -> Resampling.Operation? {
    switch json["operation"]?.string {
    case "pad": return json["amounts"]?.pairs.map { .pad(low: $0.low, high: $0.high) }
    case "crop": return json["amounts"]?.pairs.map { .crop(low: $0.low, high: $0.high) }
    case "upsample":
      guard let factors = json["factors"]?.amounts, !factors.contains(0) else { return nil }
      switch json["interpolation"]?.string {
      case "nearest": return .upsample(factors: factors, .nearest)
      case "linear", "bilinear", "trilinear":
        let alignsCorners = flag("align_corners") ?? false
        return .upsample(factors: factors, .linear(alignsCorners: alignsCorners))
      default: return nil
      }
    case "permute": return json["order"]?.smalls.map { .permute($0) }
    case "repeat": return json["count"]?.extent.map { .repeated($0) }
    default: return nil
    }
  }
}

// MARK: - Values and sequences

extension LayerJSON {
  private func normalization() -> Normalization {
    let name = json["class_name"]?.string ?? "normalization"
    var method = Normalization.Method.unstated(name)
    if let axes = json["axes"]?.smalls {
      let plain = name.lowercased()
      if plain.hasPrefix("rms") {
        method = .rootMeanSquare(axes: axes)
      } else {
        method = plain.hasPrefix("unit") ? .unit(axes: axes) : .layer(axes: axes)
      }
    } else if let axis = json["axis"]?.small {
      if let groups = json["groups"]?.small {
        method = .group(count: groups > 0 ? groups : nil, axis: axis)
      } else if let mean = json["mean"]?.flattenedNumbers,
        let variance = json["variance"]?.flattenedNumbers
      {
        method = .standardization(axis: axis, mean: mean, variance: variance)
      }
    }
    let isUnscaled = if case .unit = method { true } else { false }
    return Normalization(
      method, epsilon: json["epsilon"]?.number ?? 1e-5,
      hasScale: flag("has_scale") ?? !isUnscaled, hasShift: flag("has_shift") ?? !isUnscaled)
  }

  private func merge() -> Merge {
    let name = json["operation"]?.string ?? "merge"
    switch name.lowercased() {
    case "add": return Merge(.add)
    case "subtract": return Merge(.subtract)
    case "multiply": return Merge(.multiply)
    case "average": return Merge(.average)
    case "maximum": return Merge(.maximum)
    case "minimum": return Merge(.minimum)
    case "concatenate": return Merge(.concatenate(axis: json["axis"]?.small ?? -1))
    case "dot":
      return Merge(json["axes"]?.smalls.map { .dot(axes: $0) } ?? .unstated(name))
    default: return Merge(.unstated(name))
    }
  }

  private func attention() -> Attention? {
    guard json["heads"] != nil else {
      return Attention(.unstated(json["class_name"]?.string ?? "attention"))
    }
    guard let heads = json["heads"]?.extent, let width = json["key_width"]?.extent else {
      return nil
    }
    return Attention(
      heads: heads, keyWidth: width, valueWidth: json["value_width"]?.extent,
      outputs: json["outputs"]?.extent, hasBias: flag("bias") ?? true,
      isCausal: flag("causal") ?? false, projection: channelsFirst ? .packed : .separate)
  }

  private func recurrent() -> Recurrent? {
    guard let units = json["units"]?.extent else { return nil }
    let name = json["cell"]?.string ?? "recurrent"
    let resetsAfter = flag("resets_after") ?? true
    var cell: Recurrent.Cell =
      switch name.lowercased() {
      case "lstm": .lstm
      case "gru": .gru(resetsAfter: resetsAfter)
      // Older files do not say whether PyTorch's is a rectifier.
      case "rnn": json["activation"] == nil ? .unstated(name) : .simple
      case "simplernn": .simple
      default: .unstated(name)
      }
    let activation = json["activation"]?.string.map(function(named:)) ?? .tanh
    let gates = json["recurrent_activation"]?.string.map(function(named:)) ?? .sigmoid
    // Candidate and gates have to be scalar functions.
    if [activation, gates].contains(where: { $0 == .softmax || $0 == .logSoftmax }) {
      cell = .unstated(name)
    }
    var bias = Recurrent.Bias.none
    if flag("bias") ?? true {
      bias = channelsFirst ? .separate : cell == .gru(resetsAfter: true) ? .rows : .joint
    }
    return Recurrent(
      cell, units: units, returnsSequences: flag("returns_sequences") ?? false, bias: bias,
      activation: activation, gateActivation: gates, isReversed: flag("reversed") ?? false)
  }
}
