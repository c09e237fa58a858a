internal import TensorIR

/// Normalises within one sample, or by constants.
public struct Normalization: Layer {
  public static let kind = "normalization"

  /// Over what the statistics are taken.
  ///
  /// Axes are counted without the batch axis, negative ones from the end.
  public enum Method: Hashable, Sendable {
    /// `(x − μ) / √(σ² + ε)` over some axes. Ba et al., *Layer Normalization*, 2016.
    case layer(axes: [Int])
    /// `x / √(mean x² + ε)` over some axes. Zhang & Sennrich, NeurIPS 2019.
    case rootMeanSquare(axes: [Int])
    /// As ``layer(axes:)`` over every axis and the channels of one of `count` groups.
    ///
    /// `nil` makes each channel its own group. Wu & He, *Group Normalization*, ECCV 2018.
    case group(count: Int?, axis: Int)
    /// `x / max(‖x‖, ε)` over some axes.
    case unit(axes: [Int])
    /// `(x − mean) / √variance` along one axis, with constants of the file.
    case standardization(axis: Int, mean: [Double], variance: [Double])
    /// A class by name, of which the file says no more.
    case unstated(String)
  }

  public var method: Method
  /// What keeps the divisor from zero.
  public var epsilon: Double
  public var hasScale: Bool
  public var hasShift: Bool

  public init(
    _ method: Method, epsilon: Double = 1e-5, hasScale: Bool = true, hasShift: Bool = true
  ) {
    self.method = method
    self.epsilon = epsilon
    self.hasScale = hasScale
    self.hasShift = hasShift
  }

  public var detail: String? {
    switch method {
    case .layer: "layer"
    case .rootMeanSquare: "root mean square"
    case .group(let count, _): count == nil ? "instance" : "group"
    case .unit: "unit"
    case .standardization: "standardization"
    case .unstated(let name): name
    }
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    func requireAxes(_ axes: [Int]) throws(ShapeMismatch) {
      guard !axes.isEmpty, let found = resolved(axes, input), Set(found).count == axes.count else {
        throw ShapeMismatch(input, expected: "it normalises axes \(axes)")
      }
    }
    switch method {
    case .layer(let axes), .rootMeanSquare(let axes), .unit(let axes): try requireAxes(axes)
    case .group(let count, let axis):
      try requireAxes([axis])
      if let count, let place = input.axis(axis), let extent = input[place],
        count < 1 || extent % count != 0
      {
        throw ShapeMismatch(input, expected: "\(count) groups do not divide \(extent) channels")
      }
    case .standardization(let axis, let mean, let variance):
      try requireAxes([axis])
      guard let place = input.axis(axis), mean.count == variance.count,
        input[place] == nil || input[place] == mean.count
      else { throw ShapeMismatch(input, expected: "it has \(mean.count) constants") }
    case .unstated: break
    }
    return input
  }

  /// The axes as ascending indices.
  private func resolved(_ axes: [Int], _ shape: Shape) -> [Int]? {
    let found = axes.compactMap { shape.axis($0) }.sorted()
    return found.count == axes.count ? found : nil
  }
}

extension Normalization {
  public func ownRole(for role: ParameterRole) -> ParameterRole { role.asNormalization }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let map = inputs[0]
    let declared = map.declaredShape.dropFirst().map { Optional($0) }
    switch method {
    case .layer(let axes), .rootMeanSquare(let axes):
      let x = map.declared(in: &pass.graph)
      let places = (resolved(axes, declared) ?? []).map { $0 + 1 }
      var result: Value
      if case .layer = method {
        result = pass.graph.standardized(x, over: places, epsilon: epsilon)
      } else {
        result = pass.graph.dividedByRootMeanSquare(x, over: places, epsilon)
      }
      result = try affine(result, along: places, in: &pass)
      return FeatureMap(result)
    case .group(let count, let axis):
      let held = map.heldAxis((declared.axis(axis) ?? 0) + 1)
      let x = map.value
      let channels = x.type.shape[held]
      let groups = count ?? channels
      var split = x.type.shape
      split.replaceSubrange(held...held, with: [groups, channels / groups])
      let parted = pass.graph.apply(TensorIR.Reshape(to: split), x)
      let normalized = pass.graph.standardized(
        parted, over: split.indices.filter { $0 != 0 && $0 != held }, epsilon: epsilon)
      let joined = pass.graph.apply(TensorIR.Reshape(to: x.type.shape), normalized)
      return map.replacing(try affine(joined, along: [held], in: &pass))
    case .unit(let axes):
      let places = (resolved(axes, declared) ?? []).map { map.heldAxis($0 + 1) }.sorted()
      return map.replacing(pass.graph.dividedByNorm(map.value, over: places, epsilon))
    case .standardization(let axis, let mean, let variance):
      let held = map.heldAxis((declared.axis(axis) ?? 0) + 1)
      let type = map.value.type
      let inverse = variance.map { 1 / max($0.squareRoot(), epsilon) }
      let offset = pass.graph.table(mean, TensorType([mean.count]))
      let scale = pass.graph.table(inverse, TensorType([mean.count]))
      let centered = pass.graph.apply(
        Subtract(), map.value, pass.graph.spread(offset, along: held, of: type))
      return map.replacing(
        pass.graph.apply(Multiply(), centered, pass.graph.spread(scale, along: held, of: type)))
    case .unstated:
      throw UnsupportedLayer(self, "the file does not say over what it normalises")
    }
  }

  /// `γ x + β` with a number per place along `axes`.
  private func affine(
    _ x: Value, along axes: [Int], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> Value {
    let extents = axes.map { x.type.shape[$0] }
    let spread = BroadcastInDim(shape: x.type.shape, axes: axes)
    var result = x
    if hasScale {
      let scale = try pass.parameter(.scale, extents)
      result = pass.graph.apply(Multiply(), result, pass.graph.apply(spread, scale))
    }
    if hasShift {
      let shift = try pass.parameter(.shift, extents)
      result = pass.graph.apply(Add(), result, pass.graph.apply(spread, shift))
    }
    return result
  }
}

extension Graph {
  /// `x / √(mean x² + ε)`.
  fileprivate mutating func dividedByRootMeanSquare(
    _ x: Value, over axes: [Int], _ epsilon: Double
  ) -> Value {
    let mean = mean(apply(Multiply(), x, x), over: axes)
    let inverse = apply(Rsqrt(), shifted(mean, by: epsilon))
    return apply(Multiply(), x, restored(inverse, to: x.type.shape, over: axes))
  }

  /// `x / max(‖x‖, ε)`.
  fileprivate mutating func dividedByNorm(
    _ x: Value, over axes: [Int], _ epsilon: Double
  ) -> Value {
    let sum = apply(Reduce(.sum, axes: axes), apply(Multiply(), x, x))
    let floored = apply(Maximum(), sum, constant(epsilon * epsilon, sum.type))
    let inverse = apply(Rsqrt(), floored)
    return apply(Multiply(), x, restored(inverse, to: x.type.shape, over: axes))
  }
}
