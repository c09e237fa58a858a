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
    let curved = apply(LogPlusOne(), apply(Exponential(), apply(Minimum(), turn, x)))
    let beyond = apply(Maximum(), apply(Subtract(), x, turn), zero(x.type))
    return apply(Add(), curved, beyond)
  }
}

extension Graph {
  /// `a · x`.
  mutating func scaled(_ x: Value, by factor: Double) -> Value {
    apply(Multiply(), x, constant(factor, x.type))
  }

  /// `x + a`.
  mutating func shifted(_ x: Value, by amount: Double) -> Value {
    apply(Add(), x, constant(amount, x.type))
  }

  /// Copies a tensor along axes of extent 1, and along new axes in front of its own.
  ///
  /// - Precondition: Aligned at the last axis, every extent is that of `shape` or 1.
  mutating func expanded(_ x: Value, to shape: [Int]) -> Value {
    let missing = shape.count - x.type.rank
    let kept = x.type.shape.indices.filter { x.type.shape[$0] == shape[$0 + missing] }
    let bare = apply(TensorIR.Reshape(to: kept.map { x.type.shape[$0] }), x)
    return apply(BroadcastInDim(shape: shape, axes: kept.map { $0 + missing }), bare)
  }

  /// Copies what is left of `shape` after reducing `axes` back along them.
  mutating func restored(_ reduced: Value, to shape: [Int], over axes: [Int]) -> Value {
    apply(BroadcastInDim(shape: shape, axes: shape.indices.filter { !axes.contains($0) }), reduced)
  }

  /// The mean over some axes, which vanish.
  mutating func mean(_ x: Value, over axes: [Int]) -> Value {
    let count = axes.reduce(1) { $0 * x.type.shape[$1] }
    return scaled(apply(Reduce(.sum, axes: axes), x), by: 1 / Double(count))
  }

  /// The mean and the variance (divided by the count) over some axes.
  mutating func moments(_ x: Value, over axes: [Int]) -> (mean: Value, variance: Value) {
    let mean = mean(x, over: axes)
    let centered = apply(Subtract(), x, restored(mean, to: x.type.shape, over: axes))
    return (mean, self.mean(apply(Multiply(), centered, centered), over: axes))
  }

  /// `(x − μ) / √(σ² + ε)` with the moments over some axes.
  mutating func standardized(_ x: Value, over axes: [Int], epsilon: Double) -> Value {
    let mean = mean(x, over: axes)
    let centered = apply(Subtract(), x, restored(mean, to: x.type.shape, over: axes))
    let variance = self.mean(apply(Multiply(), centered, centered), over: axes)
    let inverse = apply(Rsqrt(), shifted(variance, by: epsilon))
    return apply(Multiply(), centered, restored(inverse, to: x.type.shape, over: axes))
  }

  /// The part of `x` from `start` up to `limit` along one axis.
  mutating func part(_ x: Value, axis: Int, from start: Int, to limit: Int) -> Value {
    var (starts, limits) = (x.type.shape.map { _ in 0 }, x.type.shape)
    (starts[axis], limits[axis]) = (start, limit)
    return apply(Slice(starts: starts, limits: limits), x)
  }

  /// `count` equal parts along the last axis.
  mutating func parts(_ x: Value, _ count: Int) -> [Value] {
    let axis = x.type.rank - 1
    let width = x.type.shape[axis] / count
    return (0..<count).map { part(x, axis: axis, from: $0 * width, to: ($0 + 1) * width) }
  }

  /// `x · W + b` on the last axis.
  mutating func affine(_ x: Value, _ weight: Value, _ bias: Value?) -> Value {
    let product = apply(DotGeneral.matrix(leftRank: x.type.rank), x, weight)
    return bias.map { apply(Add(), product, spreadLast($0, of: product.type)) } ?? product
  }

  /// A linear map along one axis: `y[…, j, …] = Σ x[…, i, …] m[i, j]`.
  ///
  /// - Shape: `matrix` is `[inputs, outputs]`.
  mutating func mapped(_ x: Value, along axis: Int, by matrix: Value) -> Value {
    let product = apply(
      DotGeneral(leftContracting: [axis], rightContracting: [0]), x, matrix)
    let last = x.type.rank - 1
    return apply(
      Transpose(Array(0..<axis) + [last] + Array(axis..<last)), product)
  }
}
