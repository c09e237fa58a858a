/// Moves the indices of each member of a batch into the member's own part of a joined table.
///
/// - Shape: `index[B, I…] → index[B, I…]`; member `b` gains `b · rows`.
/// - StableHLO: `add` of an `iota` times `rows`.
public struct OffsetRows: PiecewiseConstantPrimitive {
  public static let mnemonic = "offset_rows"

  /// The rows of each member.
  public var rows: Int

  public init(rows: Int) { self.rows = rows }

  public var attributes: Attributes { ["rows": .integers([rows])] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    rows = try attributes.integer("rows")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .index)
    guard operands[0].rank >= 1, (1...TensorType.largestExtent).contains(rows) else {
      throw mismatch(operands, "a leading axis and some rows")
    }
    return operands[0]
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let order = [1, 0] + Array(operands[0].type.shape.indices.dropFirst(2))
    let swapped = graph.apply(Transpose(order), operands[0])
    return graph.apply(Transpose(order), graph.apply(self, swapped))
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let width = result.elementCount / result.shape[0]
    return operands[0].indices.map { operands[0][$0] + Double($0 / width * rows) }
  }
}

extension Graph {
  mutating func offsetRows(_ indices: Value, by rows: Int, members: Int) -> Value {
    members == 1 ? indices : apply(OffsetRows(rows: rows), indices)
  }
}
