/// Adds rows to a table of zeros: the transpose of ``Gather``.
///
/// - Shape: `[I…, D…], index[I…] → [V, D…]`.
/// - Requires: Every index is a row of the table.
/// - StableHLO: `scatter` with `add` along axis 0.
public struct Scatter: MultilinearPrimitive {
  public static let mnemonic = "scatter"

  /// The number of rows `V`.
  public var rows: Int

  public init(rows: Int) { self.rows = rows }

  public var attributes: Attributes { ["rows": .integers([rows])] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    rows = try attributes.integer("rows")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .index)
    guard rows > 0, operands[0].shape.starts(with: operands[1].shape) else {
      throw mismatch(operands, "rows and an index for each")
    }
    return TensorType([rows] + operands[0].shape.dropFirst(operands[1].rank))
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(Gather(), cotangent, operands[1])
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let aligned = graph.aligned(operands, isBatched)
    let members = aligned[0].type.shape[0]
    let sums = graph.apply(
      Scatter(rows: rows * members), aligned[0],
      graph.offsetRows(aligned[1], by: rows, members: members))
    return graph.apply(Reshape(to: [members, rows] + sums.type.shape[1...]), sums)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var sums = Array(repeating: 0.0, count: result.elementCount)
    let width = result.elementCount / rows
    for (index, row) in operands[1].enumerated() {
      for column in 0..<width {
        sums[Int(row) * width + column] += operands[0][index * width + column]
      }
    }
    return sums
  }
}
