internal import Networks

/// The layer behind a Keras class name.
enum KerasLayers {
  /// - Returns: a ``CustomLayer`` for every class whose meaning is not known here.
  static func layer(className: String, configuration: JSONValue) -> any Layer {
    let config = configuration["config"] ?? .null
    return core(className, config) ?? normalization(className, config)
      ?? spatial(className, config) ?? sequence(className, configuration)
      ?? merge(className, config)
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
    case "Softmax":
      let axis = config["axis"]?.integers ?? [-1]
      return Activation(axis == [-1] ? .softmax : .unknown("softmax over axis \(axis)"))
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
      // A list holds a number per channel.
      guard config["scale"]?.array == nil, config["offset"]?.array == nil else { return nil }
      return Rescaling(
        scale: config["scale"]?.number ?? 1, offset: config["offset"]?.number ?? 0)
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
          padding: config["padding"]?.string == "same" ? .same : .valid, channelsFirst: isFirst)
      case "GlobalMaxPooling", "GlobalAveragePooling":
        return Pooling(
          stem == "GlobalMaxPooling" ? .maximum : .average,
          keepsAxes: config["keepdims"]?.bool ?? false, channelsFirst: isFirst)
      case "ZeroPadding", "Cropping", "UpSampling":
        return Resampling(
          resampling(stem, dimensions, config) ?? .unstated(className, output: nil),
          channelsFirst: isFirst)
      default: break
      }
    }
    switch className {
    case "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose":
      return convolution("Transpose", Int(className.dropFirst(4).prefix(1)) ?? 2, config, isFirst)
    case "Permute":
      let order = config["dims"]?.smalls.map { $0.map { $0 - 1 } }
      return Resampling(order.map { .permute($0) } ?? .unstated(className, output: nil))
    case "RepeatVector":
      return Resampling(
        config["n"]?.extent.map { .repeated($0) } ?? .unstated(className, output: nil))
    case "Resizing", "CenterCrop": return Resampling(.unstated(className, output: nil))
    default: return nil
    }
  }

  private static func resampling(
    _ stem: String, _ dimensions: Int, _ config: JSONValue
  ) -> Resampling.Operation? {
    if stem == "UpSampling" {
      guard let factors = spread(config["size"] ?? config["length"] ?? .number(2), dimensions)
      else { return nil }
      switch config["interpolation"]?.string ?? "nearest" {
      case "nearest": return .upsample(factors: factors, .nearest)
      case "bilinear": return .upsample(factors: factors, .linear(alignsCorners: false))
      default: return nil
      }
    }
    guard let stated = config[stem == "Cropping" ? "cropping" : "padding"] else { return nil }
    var sides = stated.pairs
    if sides == nil, dimensions == 1, let pair = stated.amounts, pair.count == 2 {
      sides = ([pair[0]], [pair[1]])
    } else if sides == nil, let amounts = stated.amounts {
      let each = amounts.count == 1 ? Array(repeating: amounts[0], count: dimensions) : amounts
      sides = (each, each)
    }
    guard let sides, sides.low.count == dimensions else { return nil }
    return stem == "Cropping"
      ? .crop(low: sides.low, high: sides.high) : .pad(low: sides.low, high: sides.high)
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
      channelsFirst: isFirst,
      multiplier: stem == "SeparableConv" ? config["depth_multiplier"]?.extent ?? 1 : 1,
      outputPadding: stem == "Transpose" ? amounts(config["output_padding"], dimensions) : nil)
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

  static func spread(_ json: JSONValue?, _ dimensions: Int) -> [Int]? {
    amounts(json, dimensions).flatMap { $0.contains(0) ? nil : $0 }
  }

  /// One amount for every axis, or one each.
  private static func amounts(_ json: JSONValue?, _ dimensions: Int) -> [Int]? {
    guard let values = json?.amounts else { return nil }
    if values.count == 1 { return Array(repeating: values[0], count: dimensions) }
    return values.count == dimensions ? values : nil
  }
}
