internal import TensorIR

/// Normalises each channel by batch statistics in training and by running statistics in inference.
public struct BatchNormalization: Layer {
  public static let kind = "batch-normalization"

  /// The normalised axis of the input, counted without the batch axis; `nil` is the last.
  public var axis: Int?
  /// What is added to the variance; Keras uses 1e-3, PyTorch 1e-5.
  public var epsilon: Double
  public var hasScale: Bool
  public var hasShift: Bool

  public init(
    axis: Int? = nil, epsilon: Double = 1e-5, hasScale: Bool = true, hasShift: Bool = true
  ) {
    self.axis = axis
    self.epsilon = epsilon
    self.hasScale = hasScale
    self.hasShift = hasShift
  }

  public func parameters(input: Shape) -> [ParameterRole: Shape] {
    let extent: Int?
    if let axis {
      extent = input.indices.contains(axis) ? input[axis] : nil
    } else {
      extent = input.last ?? nil
    }
    return [
      .scale: [extent], .shift: [extent], .runningMean: [extent], .runningVariance: [extent],
    ]
  }
}

extension BatchNormalization {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let map = inputs[0]
    let x = map.value
    let rank = x.type.rank
    // The axis is counted without the batch axis and as declared.
    let declared = (axis ?? rank - 2) + 1
    let held =
      !map.isHeldChannelsLast ? declared : declared == 1 ? rank - 1 : declared - 1
    let extent = x.type.shape[held]
    let scale = hasScale ? pass.parameter(.scale, [extent]) : nil
    let shift = hasShift ? pass.parameter(.shift, [extent]) : nil
    var normalized: Value
    if pass.mode == .inference {
      let mean = pass.parameter(.runningMean, [extent])
      let variance = pass.parameter(.runningVariance, [extent])
      normalized = pass.graph.standardized(x, along: held, mean, variance, epsilon)
    } else {
      let (mean, variance) = pass.graph.moments(x, over: Array(0..<rank).filter { $0 != held })
      normalized = pass.graph.standardized(x, along: held, mean, variance, epsilon)
    }
    if let scale {
      normalized = pass.graph.apply(
        Multiply(), normalized, pass.graph.spread(scale, along: held, of: x.type))
    }
    if let shift {
      normalized = pass.graph.apply(
        Add(), normalized, pass.graph.spread(shift, along: held, of: x.type))
    }
    return map.replacing(normalized)
  }
}

extension Graph {
  /// `(x − μ) / √(σ² + ε)` along one axis.
  fileprivate mutating func standardized(
    _ x: Value, along axis: Int, _ mean: Value, _ variance: Value, _ epsilon: Double
  ) -> Value {
    let inverse = apply(Rsqrt(), apply(Add(), variance, constant(epsilon, variance.type)))
    let centered = apply(Subtract(), x, spread(mean, along: axis, of: x.type))
    return apply(Multiply(), centered, spread(inverse, along: axis, of: x.type))
  }

  /// The mean and the variance (divided by the count) over some axes.
  mutating func moments(_ x: Value, over axes: [Int]) -> (mean: Value, variance: Value) {
    let count = Double(axes.reduce(1) { $0 * x.type.shape[$1] })
    let sum = apply(Reduce(.sum, axes: axes), x)
    let mean = apply(Multiply(), sum, constant(1 / count, sum.type))
    let kept = x.type.shape.indices.filter { !axes.contains($0) }
    let centered = apply(
      Subtract(), x, apply(BroadcastInDim(shape: x.type.shape, axes: kept), mean))
    let squares = apply(Reduce(.sum, axes: axes), apply(Multiply(), centered, centered))
    return (mean, apply(Multiply(), squares, constant(1 / count, squares.type)))
  }
}
