/// Element-wise difference, `z = x − y`.
///
/// - StableHLO: `subtract`.
public struct Subtract: BinaryElementwise, PlainPrimitive, LinearPrimitive {
  public static let mnemonic = "subtract"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double { x - y }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    switch (tangents[0], tangents[1]) {
    case (let x, nil): x
    case (nil, let y?): graph.apply(Negate(), y)
    case (let x?, let y?): graph.apply(self, x, y)
    }
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    operand == 0 ? cotangent : graph.apply(Negate(), cotangent)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let (x, y) = (operands[0], operands[1])
    if graph.uniform(y) == 0 { return x }
    if graph.uniform(x) == 0 { return graph.apply(Negate(), y) }
    if let negated = graph.application(y, of: Negate.self) {
      return graph.apply(Add(), x, negated.operands[0])
    }
    return nil
  }
}
