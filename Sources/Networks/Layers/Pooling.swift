/// The maximum or the average over windows or over whole maps.
public struct Pooling: Layer {
  public static let kind = "pooling"

  public enum Statistic: String, Sendable { case maximum, average }

  public var statistic: Statistic
  /// The window per spatial axis; empty for global pooling.
  public var window: [Int]
  public var stride: [Int]
  public var isSame: Bool
  public var channelsFirst: Bool

  public init(
    _ statistic: Statistic, window: [Int] = [], stride: [Int]? = nil, isSame: Bool = false,
    channelsFirst: Bool = false
  ) {
    self.statistic = statistic
    self.window = window
    self.stride = stride ?? window
    self.isSame = isSame
    self.channelsFirst = channelsFirst
  }

  public var detail: String? { (window.isEmpty ? "global " : "") + statistic.rawValue }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count >= 2 else {
      throw ShapeMismatch(input, expected: "pooling needs a spatial and a channel axis")
    }
    let channels = channelsFirst ? input[0] : input[input.count - 1]
    guard !window.isEmpty else { return [channels] }
    let spatial = channelsFirst ? Array(input.dropFirst()) : Array(input.dropLast())
    guard spatial.count == window.count, stride.count == window.count else {
      throw ShapeMismatch(input, expected: "the pooling window has \(window.count) axes")
    }
    var shrunk: Shape = []
    for axis in spatial.indices {
      guard let extent = spatial[axis] else {
        shrunk.append(nil)
        continue
      }
      guard isSame || extent >= window[axis] else {
        throw ShapeMismatch(input, expected: "a window of \(window[axis]) does not fit")
      }
      let step = Swift.max(stride[axis], 1)
      shrunk.append(isSame ? (extent + step - 1) / step : (extent - window[axis]) / step + 1)
    }
    return channelsFirst ? [channels] + shrunk : shrunk + [channels]
  }
}
