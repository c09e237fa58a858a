internal import TensorIR

/// The maximum or the average over windows or over whole maps.
public struct Pooling: Layer {
  public static let kind = "pooling"

  public enum Statistic: String, Sendable { case maximum, average }

  public var statistic: Statistic
  /// The window per spatial axis; empty for global pooling.
  public var window: [Int]
  public var stride: [Int]
  public var isSame: Bool
  /// Places before and behind each axis that belong to no element; `nil` is none.
  public var padding: [Int]?
  public var channelsFirst: Bool

  public init(
    _ statistic: Statistic, window: [Int] = [], stride: [Int]? = nil, isSame: Bool = false,
    padding: [Int]? = nil, channelsFirst: Bool = false
  ) {
    self.statistic = statistic
    self.window = window
    self.stride = stride ?? window
    self.isSame = isSame
    self.padding = padding
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
    guard spatial.count == window.count, stride.count == window.count,
      padding.map({ $0.count == window.count }) ?? true
    else {
      throw ShapeMismatch(input, expected: "the pooling window has \(window.count) axes")
    }
    var shrunk: Shape = []
    for axis in spatial.indices {
      guard let extent = spatial[axis] else {
        shrunk.append(nil)
        continue
      }
      let room = extent + 2 * (padding?[axis] ?? 0) - window[axis]
      guard isSame || room >= 0 else {
        throw ShapeMismatch(input, expected: "a window of \(window[axis]) does not fit")
      }
      let step = Swift.max(stride[axis], 1)
      shrunk.append(isSame ? (extent + step - 1) / step : room / step + 1)
    }
    return channelsFirst ? [channels] + shrunk : shrunk + [channels]
  }
}

extension Pooling {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
    let shape = x.type.shape
    let spatial = Array(1..<shape.count - 1)
    guard !window.isEmpty else {
      let operation: Reduce.Operation = statistic == .maximum ? .maximum : .sum
      let pooled = pass.graph.apply(Reduce(operation, axes: spatial), x)
      guard statistic == .average else { return FeatureMap(pooled) }
      let count = spatial.reduce(1) { $0 * shape[$1] }
      return FeatureMap(
        pass.graph.apply(
          Multiply(), pooled, pass.graph.constant(1 / Double(count), pooled.type)))
    }
    let geometry = geometry(over: spatial.map { shape[$0] })
    let pooled: Value
    switch statistic {
    case .maximum:
      let places = pass.graph.apply(WindowArgmax(geometry), x)
      pooled = pass.graph.apply(WindowGather(), x, places)
    case .average:
      let sums = pass.graph.apply(ReduceWindow(geometry), x)
      // Padding counts neither in the sum nor in the number of elements.
      let counts = pass.graph.elementCounts(geometry, x.type, sums.type)
      pooled = pass.graph.apply(Multiply(), sums, counts)
    }
    return FeatureMap(pooled, isHeldChannelsLast: channelsFirst)
  }

  private func geometry(over extents: [Int]) -> WindowGeometry {
    var (low, high) = (padding ?? window.map { _ in 0 }, padding ?? window.map { _ in 0 })
    for axis in window.indices where isSame {
      let outputs = (extents[axis] + stride[axis] - 1) / stride[axis]
      let total = max((outputs - 1) * stride[axis] + window[axis] - extents[axis], 0)
      (low[axis], high[axis]) = (total / 2, total - total / 2)
    }
    return WindowGeometry(window: window, stride: stride, low: low, high: high)
  }
}

extension Graph {
  /// The reciprocal of the number of real elements in each window.
  fileprivate mutating func elementCounts(
    _ geometry: WindowGeometry, _ input: TensorType, _ output: TensorType
  ) -> Value {
    let hasPadding = (geometry.low + geometry.high).contains { $0 > 0 }
    guard hasPadding else {
      return constant(1 / Double(geometry.window.reduce(1, *)), output)
    }
    let ones = Array(repeating: 1.0, count: input.elementCount)
    let counts = ReduceWindow(geometry).reference([ones], types: [input], result: output)
    return table(counts.map { 1 / $0 }, output)
  }
}
