/// Element-wise choice: the second operand where the first is true, else the third.
///
/// - Shape: `boolean[…], T[…], T[…] → T[…]`.
/// - StableHLO: `select`.
public struct Select: ElementwisePrimitive, PlainPrimitive {
  public static let mnemonic = "select"

  public init() {}

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 3, operands[0].element == .boolean, operands[1] == operands[2],
      operands[0].shape == operands[1].shape
    else { throw mismatch(operands, "truth values and two equal types of their shape") }
    return operands[1]
  }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    graph.select(operands[0], tangents[1], tangents[2], like: result.type)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    operand == 1
      ? graph.select(operands[0], cotangent, nil, like: cotangent.type)
      : graph.select(operands[0], nil, cotangent, like: cotangent.type)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    if operands[1] == operands[2] { return operands[1] }
    return graph.uniform(operands[0]).map { $0 != 0 ? operands[1] : operands[2] }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    operands[0].indices.map { operands[0][$0] != 0 ? operands[1][$0] : operands[2][$0] }
  }
}

extension Graph {
  /// A choice between two optional values of `type`; `nil` means zero.
  mutating func select(
    _ condition: Value, _ first: Value?, _ second: Value?, like type: TensorType
  ) -> Value? {
    guard first != nil || second != nil else { return nil }
    return apply(Select(), condition, first ?? zero(type), second ?? zero(type))
  }
}
