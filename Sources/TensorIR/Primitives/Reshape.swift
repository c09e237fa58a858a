/// The same elements, in the same row-major order, in another shape.
///
/// - StableHLO: `reshape`.
public struct Reshape: LinearPrimitive {
  public static let mnemonic = "reshape"

  public var shape: [Int]

  public init(to shape: [Int]) { self.shape = shape }

  public var attributes: Attributes { ["shape": .integers(shape)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    shape = try attributes.integers("shape")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, shape.allSatisfy({ $0 > 0 }),
      operands[0].elementCount == operands[0].reshaped(shape).elementCount
    else { throw mismatch(operands, "as many elements as \(shape)") }
    return operands[0].reshaped(shape)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(Reshape(to: operands[0].type.shape), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(Reshape(to: [operands[0].type.shape[0]] + shape), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let operand = operands[0]
    if operand.type.shape == shape { return operand }
    if let scalar = graph.uniform(operand) {
      return graph.constant(scalar, operand.type.reshaped(shape))
    }
    if let inner = graph.application(operand, of: Reshape.self) {
      return graph.apply(self, inner.operands[0])
    }
    return nil
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] { operands[0] }
}
