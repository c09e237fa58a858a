internal import TensorIR

/// A convolution over one to three axes, plain, depthwise, separable or transposed.
///
/// - Shape: `[spatial…, channels]` or, with `channelsFirst`, `[channels, spatial…]`.
public struct Convolution: Layer {
  public static let kind = "convolution"

  public enum Variant: String, Sendable { case plain, depthwise, separable, transposed }
  public typealias Padding = SpatialPadding

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
  /// Channels per input channel between the two convolutions of a separable layer.
  public var multiplier: Int
  /// What a transposed layer adds to the smallest output that its input can come from.
  public var outputPadding: [Int]?
  /// Whether tables hold inputs and outputs of a transposed kernel in exchanged places, as both
  /// frameworks do: `[K…, outputs / groups, inputs]` and `[inputs, outputs / groups, K…]`.
  public var hasSwappedKernel: Bool

  public init(
    variant: Variant = .plain, filters: Int, kernel: [Int], stride: [Int]? = nil,
    dilation: [Int]? = nil, padding: Padding = .valid, groups: Int = 1, hasBias: Bool = true,
    channelsFirst: Bool = false, multiplier: Int = 1, outputPadding: [Int]? = nil,
    hasSwappedKernel: Bool = true
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
    self.multiplier = multiplier
    self.outputPadding = outputPadding
    self.hasSwappedKernel = hasSwappedKernel
  }

  public var detail: String? { variant == .plain ? nil : variant.rawValue }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count == kernel.count + 1, kernel.count == stride.count,
      kernel.count == dilation.count
    else {
      throw ShapeMismatch(
        input, expected: "a \(kernel.count)-D convolution needs \(kernel.count + 1) axes")
    }
    guard (1...3).contains(kernel.count), padding.fits(rank: kernel.count),
      (kernel + stride + dilation).allSatisfy({ $0 > 0 }), filters > 0, multiplier > 0,
      outputPadding.map({ $0.count == kernel.count && $0.allSatisfy { $0 >= 0 } }) ?? true
    else {
      throw ShapeMismatch(
        input, expected: "kernel, stride, dilation and padding do not make a convolution")
    }
    let channels = channelsFirst ? input[0] : input[input.count - 1]
    let spatial = channelsFirst ? Array(input.dropFirst()) : Array(input.dropLast())
    if variant == .plain || variant == .transposed {
      guard groups > 0, filters % groups == 0, channels.map({ $0 % groups == 0 }) ?? true else {
        throw ShapeMismatch(
          input, expected: "\(groups) groups do not divide its channels and \(filters) filters")
      }
    }
    var changed: Shape = []
    for axis in kernel.indices {
      guard let extent = spatial[axis] else {
        changed.append(nil)
        continue
      }
      guard let placement = placement(axis, extent) else {
        throw ShapeMismatch(input, expected: "a window of \(kernel[axis]) does not fit")
      }
      changed.append(placement.output)
    }
    let produced = variant == .depthwise ? channels.map { $0 * filters } : filters
    return channelsFirst ? [produced] + changed : changed + [produced]
  }
}

extension Convolution {
  /// How one spatial axis is covered.
  struct Placement {
    var output: Int
    var low: Int
    var high: Int
  }

  /// - Returns: `nil` if no window fits.
  func placement(_ axis: Int, _ input: Int) -> Placement? {
    let reach = dilation[axis] * (kernel[axis] - 1) + 1
    let step = stride[axis]
    guard variant == .transposed else {
      let (low, high) = padding.amounts(axis: axis, extent: input, reach: reach, stride: step)
      let room = input + low + high - reach
      return room < 0 ? nil : Placement(output: room / step + 1, low: low, high: high)
    }
    // The smallest extent that a convolution takes to `input`, without padding.
    let covered = (input - 1) * step + reach
    let extra = outputPadding?[axis] ?? 0
    let output: Int
    switch padding {
    case .same: output = outputPadding == nil ? input * step : covered - reach / 2 * 2 + extra
    case .valid:
      output = outputPadding == nil ? input * step + max(reach - step, 0) : covered + extra
    case .explicit(let amounts): output = covered - 2 * amounts[axis] + extra
    case .sides(let low, let high): output = covered - low[axis] - high[axis] + extra
    case .causal: return nil
    }
    guard output > 0 else { return nil }
    let low = padding.amounts(axis: axis, extent: output, reach: reach, stride: step).low
    let high = max(covered - output - low, 0)
    // The convolution that is transposed has to lead back.
    let room = output + low + high - reach
    return room >= 0 && room / step + 1 == input
      ? Placement(output: output, low: low, high: high) : nil
  }
}
