/// How a leading batch axis is folded into a convolution.
///
/// A batched activation alone joins the samples. A batched kernel makes every member of the batch a
/// set of groups of its own: channels are laid out `[member, channel]`.
struct ConvolutionBatch {
  let geometry: ConvolutionGeometry
  let extent: Int
  /// Whether members are groups rather than samples.
  let isGrouped: Bool
  private let rank: Int

  /// `isBatched` tells which of the two operands are to differ between members; `leading` which of
  /// them carry the leading axis, where that is another question.
  init(
    _ geometry: ConvolutionGeometry, _ operands: [Value], _ isBatched: [Bool],
    leading: [Bool]? = nil
  ) {
    rank = geometry.rank
    extent = zip(operands, leading ?? isBatched).first { $1 }?.0.type.shape[0] ?? 1
    isGrouped = isBatched[1]
    var batched = geometry
    if isGrouped { batched.groups *= extent }
    self.geometry = batched
  }

  /// `[B, N, S…, C]` as `[B·N, S…, C]` or, for groups, `[N, S…, B·C]`.
  func activation(_ value: Value, _ isBatched: Bool, in graph: inout Graph) -> Value {
    guard isGrouped else {
      let shape = value.type.shape
      return graph.apply(Reshape(to: [shape[0] * shape[1]] + shape[2...]), value)
    }
    let value = isBatched ? value : graph.repeated(value, extent)
    let moved = graph.apply(Transpose(Array(1...rank + 1) + [0, rank + 2]), value)
    let shape = moved.type.shape
    return graph.apply(
      Reshape(to: shape[...rank] + [shape[rank + 1] * shape[rank + 2]]), moved)
  }

  /// `[B, K…, I, O]` as `[K…, I, B·O]`.
  func kernel(_ value: Value, _ isBatched: Bool, in graph: inout Graph) -> Value {
    guard isGrouped else { return value }
    precondition(isBatched, "groups follow from a batched kernel")
    let moved = graph.apply(Transpose(Array(1...rank + 1) + [0, rank + 2]), value)
    let shape = moved.type.shape
    return graph.apply(
      Reshape(to: shape[...rank] + [shape[rank + 1] * shape[rank + 2]]), moved)
  }

  /// Undoes ``activation(_:_:in:)``.
  func split(activation value: Value, in graph: inout Graph) -> Value {
    let shape = value.type.shape
    guard isGrouped else {
      return graph.apply(Reshape(to: [extent, shape[0] / extent] + shape[1...]), value)
    }
    return unfolded(value, in: &graph)
  }

  /// Undoes ``kernel(_:_:in:)``.
  func split(kernel value: Value, in graph: inout Graph) -> Value { unfolded(value, in: &graph) }

  private func unfolded(_ value: Value, in graph: inout Graph) -> Value {
    let shape = value.type.shape
    let apart = graph.apply(
      Reshape(to: shape[...rank] + [extent, shape[rank + 1] / extent]), value)
    return graph.apply(Transpose([rank + 1] + Array(0...rank) + [rank + 2]), apart)
  }
}
