/// Looks rows of a table up.
///
/// - Shape: `[V, D…], index[I…] → [I…, D…]`.
/// - Requires: Every index is a row of the table.
/// - StableHLO: `gather` along axis 0.
public struct Gather: PlainPrimitive, MultilinearPrimitive {
  public static let mnemonic = "gather"

  public init() {}

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .index)
    guard operands[0].rank >= 1 else { throw mismatch(operands, "a table of rows") }
    return TensorType(operands[1].shape + operands[0].shape.dropFirst())
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(Scatter(rows: operands[0].type.shape[0]), cotangent, operands[1])
  }

  /// Tables that differ between members are laid end to end, and the indices moved to their own.
  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    guard isBatched[0] else { return graph.apply(self, operands) }
    let aligned = graph.aligned(operands, isBatched)
    let shape = aligned[0].type.shape
    let table = graph.apply(Reshape(to: [shape[0] * shape[1]] + shape[2...]), aligned[0])
    return graph.apply(
      self, table, graph.offsetRows(aligned[1], by: shape[1], members: shape[0]))
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let width = types[0].elementCount / types[0].shape[0]
    return operands[1].flatMap { row in
      operands[0][Int(row) * width..<(Int(row) + 1) * width]
    }
  }
}
