internal import TensorIR

/// Normalises each channel by batch statistics in training and by running statistics in inference.
public struct BatchNormalization: Layer {
  public static let kind = "batch-normalization"

  /// The normalised axis of the input, counted without the batch axis, negative from the end; `nil`
  /// is the last.
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
    let extent = input.axis(axis ?? -1).flatMap { input[$0] }
    var parameters: [ParameterRole: Shape] = [
      .runningMean: [extent], .runningVariance: [extent],
    ]
    if hasScale { parameters[.scale] = [extent] }
    if hasShift { parameters[.shift] = [extent] }
    return parameters
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.axis(axis ?? -1) != nil else {
      throw ShapeMismatch(input, expected: "it normalises axis \(axis ?? -1)")
    }
    return input
  }
}

extension BatchNormalization {
  public func ownRole(for role: ParameterRole) -> ParameterRole { role.asNormalization }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let map = inputs[0]
    let x = map.value
    let declared = map.declaredShape.dropFirst().map { Optional($0) }.axis(axis ?? -1) ?? 0
    let held = map.heldAxis(declared + 1)
    let extent = x.type.shape[held]
    var result: Value
    if pass.mode == .inference {
      let mean = try pass.parameter(.runningMean, [extent])
      let variance = try pass.parameter(.runningVariance, [extent])
      result = pass.graph.standardized(x, along: held, mean, variance, epsilon)
    } else {
      result = pass.graph.standardized(
        x, over: x.type.shape.indices.filter { $0 != held }, epsilon: epsilon)
    }
    if hasScale {
      let scale = try pass.parameter(.scale, [extent])
      result = pass.graph.apply(
        Multiply(), result, pass.graph.spread(scale, along: held, of: x.type))
    }
    if hasShift {
      let shift = try pass.parameter(.shift, [extent])
      result = pass.graph.apply(Add(), result, pass.graph.spread(shift, along: held, of: x.type))
    }
    return map.replacing(result)
  }
}

extension ParameterRole {
  /// What PyTorch calls weight and bias of a normalisation is its scale and shift.
  var asNormalization: ParameterRole {
    switch self {
    case .weight: .scale
    case .bias: .shift
    default: self
    }
  }
}

extension Graph {
  /// `(x − μ) / √(σ² + ε)` along one axis.
  fileprivate mutating func standardized(
    _ x: Value, along axis: Int, _ mean: Value, _ variance: Value, _ epsilon: Double
  ) -> Value {
    let inverse = apply(Rsqrt(), shifted(variance, by: epsilon))
    let centered = apply(Subtract(), x, spread(mean, along: axis, of: x.type))
    return apply(Multiply(), centered, spread(inverse, along: axis, of: x.type))
  }
}
