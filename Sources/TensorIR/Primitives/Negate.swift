/// Element-wise negation, `y = −x`.
///
/// - StableHLO: `negate`.
public struct Negate: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "negate"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { -x }

  public func derivative(at operand: Value, result: Value, in graph: inout Graph) -> Value? {
    graph.constant(-1, result.type)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(self, cotangent)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    if let inner = graph.application(operands[0], of: Negate.self) { return inner.operands[0] }
    if let inner = graph.application(operands[0], of: Subtract.self) {
      return graph.apply(Subtract(), inner.operands[1], inner.operands[0])
    }
    return nil
  }
}
