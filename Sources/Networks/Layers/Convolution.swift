internal import TensorIR

/// A convolution in any number of dimensions, plain, depthwise, separable or transposed.
///
/// - Shape: `[spatial…, channels]` or, with `channelsFirst`, `[channels, spatial…]`.
public struct Convolution: Layer {
  public static let kind = "convolution"

  public enum Variant: String, Sendable { case plain, depthwise, separable, transposed }
  public enum Padding: Hashable, Sendable {
    case valid, same, causal
    /// Zeros before and after each axis.
    case explicit([Int])
  }

  public var variant: Variant
  /// Output channels; for depthwise layers the multiplier per input channel.
  public var filters: Int
  public var kernel: [Int]
  public var stride: [Int]
  public var dilation: [Int]
  public var padding: Padding
  public var groups: Int
  public var hasBias: Bool
  public var channelsFirst: Bool

  public init(
    variant: Variant = .plain, filters: Int, kernel: [Int], stride: [Int]? = nil,
    dilation: [Int]? = nil, padding: Padding = .valid, groups: Int = 1, hasBias: Bool = true,
    channelsFirst: Bool = false
  ) {
    self.variant = variant
    self.filters = filters
    self.kernel = kernel
    self.stride = stride ?? kernel.map { _ in 1 }
    self.dilation = dilation ?? kernel.map { _ in 1 }
    self.padding = padding
    self.groups = groups
    self.hasBias = hasBias
    self.channelsFirst = channelsFirst
  }

  public var detail: String? { variant == .plain ? nil : variant.rawValue }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count == kernel.count + 1, kernel.count == stride.count,
      kernel.count == dilation.count
    else {
      throw ShapeMismatch(
        input, expected: "a \(kernel.count)-D convolution needs \(kernel.count + 1) axes")
    }
    let channels = channelsFirst ? input[0] : input[input.count - 1]
    let spatial = channelsFirst ? Array(input.dropFirst()) : Array(input.dropLast())
    if variant == .plain, let channels, groups < 1 || channels % groups != 0 {
      throw ShapeMismatch(input, expected: "\(groups) groups do not divide \(channels) channels")
    }
    var shrunk: Shape = []
    for axis in kernel.indices {
      guard let extent = spatial[axis] else {
        shrunk.append(nil)
        continue
      }
      let result = self.extent(extent, axis)
      guard result > 0 else {
        throw ShapeMismatch(input, expected: "a window of \(kernel[axis]) does not fit")
      }
      shrunk.append(result)
    }
    let produced = variant == .depthwise ? channels.map { $0 * filters } : filters
    return channelsFirst ? [produced] + shrunk : shrunk + [produced]
  }

  private func extent(_ input: Int, _ axis: Int) -> Int {
    let reach = dilation[axis] * (kernel[axis] - 1) + 1
    let step = max(stride[axis], 1)
    if variant == .transposed {
      return padding == .same ? input * step : (input - 1) * step + max(reach, step)
    }
    if padding == .same || padding == .causal { return (input + step - 1) / step }
    var padded = input
    if case .explicit(let amounts) = padding, amounts.indices.contains(axis) {
      padded += 2 * amounts[axis]
    }
    return padded < reach ? 0 : (padded - reach) / step + 1
  }
}

extension Convolution {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    guard variant == .plain else {
      throw UnsupportedLayer(self, "only plain convolutions are expressed so far")
    }
    let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
    let shape = x.type.shape
    let channels = shape[shape.count - 1]
    let geometry = geometry(over: Array(shape[1..<shape.count - 1]))
    let weight = pass.parameter(.weight, kernel + [channels / groups, filters])
    var result = pass.graph.apply(TensorIR.Convolution(geometry), x, weight)
    if hasBias {
      let bias = pass.parameter(.bias, [filters])
      result = pass.graph.apply(Add(), result, pass.graph.spreadLast(bias, of: result.type))
    }
    return FeatureMap(result, isHeldChannelsLast: channelsFirst)
  }

  /// How the kernel moves over these spatial extents.
  ///
  /// `same` puts the odd zero behind, as TensorFlow does.
  func geometry(over extents: [Int]) -> ConvolutionGeometry {
    var (low, high) = (kernel.map { _ in 0 }, kernel.map { _ in 0 })
    for axis in kernel.indices {
      let reach = dilation[axis] * (kernel[axis] - 1) + 1
      switch padding {
      case .valid: break
      case .causal: low[axis] = reach - 1
      case .same:
        let outputs = (extents[axis] + stride[axis] - 1) / stride[axis]
        let total = max((outputs - 1) * stride[axis] + reach - extents[axis], 0)
        (low[axis], high[axis]) = (total / 2, total - total / 2)
      case .explicit(let amounts):
        (low[axis], high[axis]) = (amounts[axis], amounts[axis])
      }
    }
    return ConvolutionGeometry(
      stride: stride, low: low, high: high, dilation: dilation, groups: groups)
  }
}
