/// What surrounds the spatial axes of a convolution or a pooling.
public enum SpatialPadding: Hashable, Sendable {
  case valid
  /// As much as makes the output `⌈extent / stride⌉` long; an odd place lies behind.
  case same
  /// Everything in front, so that no output sees a later input.
  case causal
  /// Amounts per axis, the same before and behind.
  case explicit([Int])
  /// Amounts per axis.
  case sides(low: [Int], high: [Int])

  /// The places before and behind one axis.
  ///
  /// - Parameters:
  ///   - axis: The spatial axis.
  ///   - extent: Its extent.
  ///   - reach: How many places a window spans, dilation included.
  ///   - stride: At least 1.
  /// - Returns: Amounts of at least zero.
  func amounts(axis: Int, extent: Int, reach: Int, stride: Int) -> (low: Int, high: Int) {
    switch self {
    case .valid: return (0, 0)
    case .same:
      let outputs = (extent + stride - 1) / stride
      let total = max((outputs - 1) * stride + reach - extent, 0)
      return (total / 2, total - total / 2)
    case .causal: return (reach - 1, 0)
    case .explicit(let amounts): return (amounts[axis], amounts[axis])
    case .sides(let low, let high): return (low[axis], high[axis])
    }
  }

  /// Whether it states an amount for each of `rank` axes, and none is negative.
  func fits(rank: Int) -> Bool {
    switch self {
    case .valid, .same, .causal: true
    case .explicit(let amounts): amounts.count == rank && amounts.allSatisfy { $0 >= 0 }
    case .sides(let low, let high):
      low.count == rank && high.count == rank && (low + high).allSatisfy { $0 >= 0 }
    }
  }
}
