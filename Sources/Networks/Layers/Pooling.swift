/// The maximum or the average over windows or over whole maps.
///
/// - Shape: `[spatial…, channels]` or, with `channelsFirst`, `[channels, spatial…]`.
public struct Pooling: Layer {
  public static let kind = "pooling"

  public enum Statistic: String, Sendable { case maximum, average }
  public typealias Padding = SpatialPadding

  public var statistic: Statistic
  /// The window per spatial axis; empty for global pooling.
  public var window: [Int]
  public var stride: [Int]
  public var padding: Padding
  public var dilation: [Int]
  /// Whether a last window may reach beyond the padded input, as long as it starts within.
  public var roundsUp: Bool
  /// Whether an average counts padding as zeros rather than leaving it out.
  public var countsPadding: Bool
  /// Whether global pooling leaves spatial axes of extent 1.
  public var keepsAxes: Bool
  /// The spatial extents of the result, where windows follow from them.
  public var outputExtents: [Int]?
  public var channelsFirst: Bool

  public init(
    _ statistic: Statistic, window: [Int] = [], stride: [Int]? = nil, padding: Padding = .valid,
    dilation: [Int]? = nil, roundsUp: Bool = false, countsPadding: Bool = false,
    keepsAxes: Bool = false, outputExtents: [Int]? = nil, channelsFirst: Bool = false
  ) {
    self.statistic = statistic
    self.window = window
    self.stride = stride ?? window
    self.padding = padding
    self.dilation = dilation ?? window.map { _ in 1 }
    self.roundsUp = roundsUp
    self.countsPadding = countsPadding
    self.keepsAxes = keepsAxes
    self.outputExtents = outputExtents
    self.channelsFirst = channelsFirst
  }

  public var detail: String? {
    let reach = outputExtents != nil ? "adaptive " : window.isEmpty ? "global " : ""
    return reach + statistic.rawValue
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count >= 2 else {
      throw ShapeMismatch(input, expected: "pooling needs a spatial and a channel axis")
    }
    let channels = channelsFirst ? input[0] : input[input.count - 1]
    let spatial = channelsFirst ? Array(input.dropFirst()) : Array(input.dropLast())
    let changed: Shape
    if let outputExtents {
      guard outputExtents.count == spatial.count, outputExtents.allSatisfy({ $0 > 0 }) else {
        throw ShapeMismatch(input, expected: "the result has \(outputExtents.count) spatial axes")
      }
      changed = outputExtents
    } else if window.isEmpty {
      guard keepsAxes else { return [channels] }
      changed = spatial.map { _ in 1 }
    } else {
      changed = try windows(over: spatial, of: input)
    }
    return channelsFirst ? [channels] + changed : changed + [channels]
  }

  private func windows(over spatial: Shape, of input: Shape) throws(ShapeMismatch) -> Shape {
    guard spatial.count == window.count, stride.count == window.count,
      dilation.count == window.count
    else {
      throw ShapeMismatch(input, expected: "the pooling window has \(window.count) axes")
    }
    guard (1...3).contains(window.count), padding.fits(rank: window.count),
      (window + stride + dilation).allSatisfy({ $0 > 0 }),
      statistic == .maximum || dilation.allSatisfy({ $0 == 1 })
    else {
      throw ShapeMismatch(input, expected: "window, stride and padding do not make a pooling")
    }
    var shrunk: Shape = []
    for axis in spatial.indices {
      guard let extent = spatial[axis] else {
        shrunk.append(nil)
        continue
      }
      guard let placement = placement(axis, extent) else {
        throw ShapeMismatch(input, expected: "a window of \(window[axis]) does not fit")
      }
      shrunk.append(placement.output)
    }
    return shrunk
  }
}

extension Pooling {
  /// How windows cover one spatial axis.
  struct Placement {
    var output: Int
    var low: Int
    /// The places behind that belong to no element.
    var high: Int
    /// The places behind that count as padding.
    var padding: Int
  }

  /// - Returns: `nil` if a window does not fit or would hold padding alone.
  func placement(_ axis: Int, _ input: Int) -> Placement? {
    let reach = dilation[axis] * (window[axis] - 1) + 1
    let step = stride[axis]
    let (low, behind) = padding.amounts(axis: axis, extent: input, reach: reach, stride: step)
    let room = input + low + behind - reach
    guard room >= 0 || (roundsUp && room > -step) else { return nil }
    var output = max(room, 0) / step + 1
    if roundsUp, room > 0, room % step != 0 { output += 1 }
    // A window that would start in the padding behind is left out.
    if roundsUp, output > 1, (output - 1) * step >= input + low { output -= 1 }
    guard low < reach, (output - 1) * step - low < input else { return nil }
    let high = max((output - 1) * step + reach - input - low, 0)
    return Placement(output: output, low: low, high: high, padding: behind)
  }
}
