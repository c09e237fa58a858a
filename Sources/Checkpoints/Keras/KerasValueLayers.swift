internal import Networks

/// Normalisations and merges. Keras counts axes with the batch axis.
extension KerasLayers {
  static func normalization(_ className: String, _ config: JSONValue) -> (any Layer)? {
    let axes = config["axis"]?.smalls.map { $0.map(withoutBatch) } ?? [-1]
    let (hasScale, hasShift) = (config["scale"]?.bool ?? true, config["center"]?.bool ?? true)
    func epsilon(_ usual: Double) -> Double { config["epsilon"]?.number ?? usual }
    switch className {
    case "BatchNormalization":
      return BatchNormalization(
        axis: axes == [-1] ? nil : axes.first, epsilon: epsilon(1e-3), hasScale: hasScale,
        hasShift: hasShift)
    case "LayerNormalization":
      guard config["rms_scaling"]?.bool != true, axes == axes.sorted() else { break }
      return Normalization(
        .layer(axes: axes), epsilon: epsilon(1e-3), hasScale: hasScale, hasShift: hasShift)
    case "RMSNormalization":
      return Normalization(.rootMeanSquare(axes: axes), epsilon: epsilon(1e-6), hasShift: false)
    case "GroupNormalization":
      let groups = config["groups"]?.small ?? 32
      guard axes.count == 1 else { break }
      return Normalization(
        .group(count: groups > 0 ? groups : nil, axis: axes[0]), epsilon: epsilon(1e-3),
        hasScale: hasScale, hasShift: hasShift)
    case "UnitNormalization":
      return Normalization(.unit(axes: axes), epsilon: 1e-12, hasScale: false, hasShift: false)
    case "Normalization":
      guard axes.count == 1, config["invert"]?.bool != true,
        let mean = config["mean"]?.flattenedNumbers,
        let variance = config["variance"]?.flattenedNumbers
      else { break }
      return Normalization(
        .standardization(axis: axes[0], mean: mean, variance: variance), epsilon: 1e-7,
        hasScale: false, hasShift: false)
    case "SpectralNormalization": break
    default: return nil
    }
    return Normalization(.unstated(className))
  }

  static func merge(_ className: String, _ config: JSONValue) -> Merge? {
    switch className {
    case "Add": return Merge(.add)
    case "Subtract": return Merge(.subtract)
    case "Multiply": return Merge(.multiply)
    case "Average": return Merge(.average)
    case "Maximum": return Merge(.maximum)
    case "Minimum": return Merge(.minimum)
    case "Concatenate":
      let axis = config["axis"]?.small ?? -1
      return Merge(axis == 0 ? .unstated(className) : .concatenate(axis: withoutBatch(axis)))
    case "Dot":
      guard let axes = config["axes"]?.smalls, !axes.contains(0), (1...2).contains(axes.count),
        config["normalize"]?.bool != true
      else { return Merge(.unstated(className)) }
      let each = axes.count == 1 ? [axes[0], axes[0]] : axes
      return Merge(.dot(axes: each.map(withoutBatch)))
    case "Merge": return Merge(.unstated(className))
    default: return nil
    }
  }

  private static func withoutBatch(_ axis: Int) -> Int { axis > 0 ? axis - 1 : axis }
}
