internal import Networks

/// The layer behind a Keras class name.
enum KerasLayers {
  /// - Returns: a ``CustomLayer`` for every class whose meaning is not known here.
  static func layer(className: String, configuration: JSONValue) -> any Layer {
    let config = configuration["config"] ?? .null
    return core(className, config) ?? spatial(className, config) ?? sequence(className, config)
      ?? CustomLayer(className: className, carriesCode: className == "Lambda")
  }

  private static func core(_ className: String, _ config: JSONValue) -> (any Layer)? {
    switch className {
    case "Dense":
      guard let units = (config["units"] ?? config["output_dim"])?.extent else { return nil }
      return Dense(
        outputs: units, hasBias: config["use_bias"]?.bool ?? config["bias"]?.bool ?? true)
    case "Activation": return Activation(activation(config["activation"] ?? .null))
    case "ReLU": return Activation(rectifier(config))
    case "LeakyReLU":
      let slope = config["negative_slope"]?.number ?? config["alpha"]?.number ?? 0.3
      return Activation(.leakyReLU(slope: slope))
    case "ELU": return Activation(.elu(alpha: config["alpha"]?.number ?? 1))
    case "Softmax": return Activation(.softmax)
    case "Flatten": return Flatten()
    case "Reshape":
      let target = config["target_shape"]?.shape
      return target.map { Reshape(target: $0) }
    case "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
      "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Masking":
      let rate = config["rate"]?.number ?? config["p"]?.number ?? config["stddev"]?.number ?? 0
      return Dropout(rate: rate)
    case "Identity": return Dropout(rate: 0)
    case "Rescaling":
      return Rescaling(
        scale: config["scale"]?.number ?? 1, offset: config["offset"]?.number ?? 0)
    case "BatchNormalization":
      let axis = config["axis"]?.integers?.first ?? -1
      return BatchNormalization(axis: axis > 0 ? axis - 1 : nil)
    case "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization",
      "SpectralNormalization", "Normalization":
      return Normalization(name: className)
    case "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
      "Merge":
      return Merge(operation: className)
    default: return nil
    }
  }

  private static func spatial(_ className: String, _ config: JSONValue) -> (any Layer)? {
    let isFirst = config["data_format"]?.string == "channels_first"
    for dimensions in 1...3 where className.hasSuffix("\(dimensions)D") {
      let stem = String(className.dropLast(2))
      switch stem {
      case "Conv", "Convolution", "SeparableConv", "DepthwiseConv":
        return convolution(stem, dimensions, config, isFirst)
      case "MaxPooling", "AveragePooling":
        let window = spread(config["pool_size"] ?? config["pool_length"], dimensions) ?? []
        return Pooling(
          stem == "MaxPooling" ? .maximum : .average,
          window: window.isEmpty ? Array(repeating: 2, count: dimensions) : window,
          stride: spread(config["strides"] ?? config["stride"], dimensions),
          isSame: config["padding"]?.string == "same", channelsFirst: isFirst)
      case "GlobalMaxPooling", "GlobalAveragePooling":
        return Pooling(stem == "GlobalMaxPooling" ? .maximum : .average, channelsFirst: isFirst)
      case "ZeroPadding", "Cropping", "UpSampling":
        return Resampling(name: className) { $0.map { _ in nil } }
      default: break
      }
    }
    switch className {
    case "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose":
      return convolution("Transpose", Int(className.dropFirst(4).prefix(1)) ?? 2, config, isFirst)
    case "Permute", "RepeatVector", "Resizing", "CenterCrop":
      return Resampling(name: className) { $0.map { _ in nil } }
    default: return nil
    }
  }

  private static func convolution(
    _ stem: String, _ dimensions: Int, _ config: JSONValue, _ isFirst: Bool
  ) -> Convolution? {
    let isDepthwise = stem == "DepthwiseConv"
    let old = [config["nb_row"]?.integer, config["nb_col"]?.integer].compactMap { $0 }
    let stated = config["filters"] ?? config["nb_filter"]
    guard
      let filters = (isDepthwise ? config["depth_multiplier"] ?? .number(1) : stated)?.extent,
      let kernel = spread(config["kernel_size"] ?? config["filter_length"], dimensions)
        ?? (old.count == dimensions ? old : nil)
    else { return nil }
    let padding: Convolution.Padding =
      switch (config["padding"] ?? config["border_mode"])?.string {
      case "same": .same
      case "causal": .causal
      default: .valid
      }
    return Convolution(
      variant: isDepthwise
        ? .depthwise
        : stem == "SeparableConv" ? .separable : stem == "Transpose" ? .transposed : .plain,
      filters: filters, kernel: kernel,
      stride: spread(config["strides"] ?? config["subsample"], dimensions),
      dilation: spread(config["dilation_rate"], dimensions), padding: padding,
      groups: config["groups"]?.extent ?? 1, hasBias: config["use_bias"]?.bool ?? true,
      channelsFirst: isFirst)
  }

  private static func sequence(_ className: String, _ config: JSONValue) -> (any Layer)? {
    switch className {
    case "Embedding":
      guard let tokens = config["input_dim"]?.extent, let width = config["output_dim"]?.extent
      else { return nil }
      return Embedding(tokens: tokens, width: width)
    case "LSTM", "GRU", "SimpleRNN":
      guard let units = (config["units"] ?? config["output_dim"])?.extent else { return nil }
      return Recurrent(
        cell: className, units: units,
        returnsSequences: config["return_sequences"]?.bool ?? false)
    case "MultiHeadAttention", "Attention", "AdditiveAttention", "GroupQueryAttention":
      return Attention(name: className)
    default: return nil
    }
  }

  /// An activation given by name, or as the configuration of a registered function or layer.
  static func activation(_ json: JSONValue) -> ActivationFunction {
    if let name = json.string { return ActivationFunction(named: name) }
    let config = json["config"]
    switch json["class_name"]?.string {
    case "LeakyReLU": return .leakyReLU(slope: config?["negative_slope"]?.number ?? 0.3)
    case "ReLU": return rectifier(config ?? .null)
    case "ELU": return .elu(alpha: config?["alpha"]?.number ?? 1)
    case "function", nil:
      return .init(named: config?.string ?? json["registered_name"]?.string ?? "")
    case .some(let name): return ActivationFunction(named: name)
    }
  }

  private static func rectifier(_ config: JSONValue) -> ActivationFunction {
    let slope = config["negative_slope"]?.number ?? 0
    let threshold = config["threshold"]?.number ?? 0
    guard threshold == 0 else { return .unknown("relu with threshold \(threshold)") }
    guard let top = config["max_value"]?.number else {
      return slope == 0 ? .relu : .leakyReLU(slope: slope)
    }
    return top == 6 && slope == 0 ? .relu6 : .unknown("relu capped at \(top)")
  }

  private static func spread(_ json: JSONValue?, _ dimensions: Int) -> [Int]? {
    guard let values = json?.amounts, !values.contains(0) else { return nil }
    if values.count == 1 { return Array(repeating: values[0], count: dimensions) }
    return values.count == dimensions ? values : nil
  }
}
