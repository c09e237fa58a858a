/// Element-wise sum, `z = x + y`.
///
/// - StableHLO: `add`.
public struct Add: BinaryElementwise, PlainPrimitive, LinearPrimitive {
  public static let mnemonic = "add"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double { x + y }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    graph.sum(tangents[0], tangents[1])
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? { cotangent }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let (x, y) = (operands[0], operands[1])
    if graph.uniform(x) == 0 { return y }
    if graph.uniform(y) == 0 { return x }
    if x == y { return graph.apply(Multiply(), graph.constant(2, x.type), x) }
    if let negated = graph.application(y, of: Negate.self) {
      return graph.apply(Subtract(), x, negated.operands[0])
    }
    if let negated = graph.application(x, of: Negate.self) {
      return graph.apply(Subtract(), y, negated.operands[0])
    }
    // A sum has one spelling, so that equal sums are found.
    return x.index > y.index ? graph.apply(self, y, x) : nil
  }
}
