internal import TensorIR

/// Expressions that several layers and losses share.
extension Graph {
  /// Copies a vector along every axis but `axis` of `type`.
  mutating func spread(_ vector: Value, along axis: Int, of type: TensorType) -> Value {
    apply(BroadcastInDim(shape: type.shape, axes: [axis]), vector)
  }

  /// Copies a vector along every axis but the last of `type`.
  mutating func spreadLast(_ vector: Value, of type: TensorType) -> Value {
    spread(vector, along: type.rank - 1, of: type)
  }

  /// `x − log Σ eˣ` over the last axis, shifted by the largest entry against overflow.
  mutating func logSoftmax(_ x: Value) -> Value {
    let last = x.type.rank - 1
    let kept = Array(0..<last)
    let largest = apply(StopGradient(), apply(Reduce(.maximum, axes: [last]), x))
    let shifted = apply(
      Subtract(), x, apply(BroadcastInDim(shape: x.type.shape, axes: kept), largest))
    let total = apply(Reduce(.sum, axes: [last]), apply(Exponential(), shifted))
    let logarithm = apply(Log(), total)
    return apply(
      Subtract(), shifted, apply(BroadcastInDim(shape: x.type.shape, axes: kept), logarithm))
  }

  /// `log(1 + eˣ)` without overflow, smooth to rounding at every `x`.
  ///
  /// Beyond 40 it is `x` to the last bit of a `Double`, so the logarithm is taken up to there.
  mutating func softplus(_ x: Value) -> Value {
    let turn = constant(40, x.type)
    let curved = apply(LogPlusOne(), apply(Exponential(), apply(Minimum(), x, turn)))
    let beyond = apply(Maximum(), apply(Subtract(), x, turn), zero(x.type))
    return apply(Add(), curved, beyond)
  }
}
