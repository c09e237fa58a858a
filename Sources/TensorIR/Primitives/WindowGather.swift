/// Picks one element of the spatial plane for each output, per sample and channel.
///
/// - Shape: `[N, S…, C], index[N, S′…, C] → [N, S′…, C]`.
/// - Requires: Every index is a place of the flattened spatial plane.
/// - StableHLO: `gather`.
public struct WindowGather: PlainPrimitive, MultilinearPrimitive {
  public static let mnemonic = "window_gather"

  public init() {}

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .index)
    guard operands[0].rank == operands[1].rank, operands[0].rank >= 3,
      operands[0].shape.first == operands[1].shape.first,
      operands[0].shape.last == operands[1].shape.last
    else { throw mismatch(operands, "[N, S…, C] and indices [N, S′…, C]") }
    return TensorType(operands[1].shape)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    let shape = operands[0].type.shape
    return graph.apply(
      WindowScatter(plane: Array(shape[1..<shape.count - 1])), cotangent, operands[1])
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.mappingSamples(graph.aligned(operands, isBatched)) { samples, graph in
      graph.apply(self, samples)
    }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let channels = types[0].shape[types[0].rank - 1]
    let (plane, picked) = (
      types[0].elementCount / types[0].shape[0], result.elementCount / result.shape[0]
    )
    return operands[1].indices.map { index in
      let sample = index / picked
      return operands[0][
        sample * plane + Int(operands[1][index]) * channels + index % channels]
    }
  }
}

extension Graph {
  /// Gives every operand the leading axis that some have.
  mutating func aligned(_ operands: [Value], _ isBatched: [Bool]) -> [Value] {
    guard let index = isBatched.firstIndex(of: true) else { return operands }
    let extent = operands[index].type.shape[0]
    return zip(operands, isBatched).map { $1 ? $0 : repeated($0, extent) }
  }
}
