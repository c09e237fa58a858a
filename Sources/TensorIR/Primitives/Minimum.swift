/// The smaller of two elements.
///
/// - Derivative: that of the smaller operand; of the second where both are equal.
/// - StableHLO: `minimum`.
public struct Minimum: BinaryElementwise, PlainPrimitive {
  public static let mnemonic = "minimum"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double {
    x.isNaN || y.isNaN ? .nan : min(x, y)
  }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    let isFirst = graph.apply(Compare(.less), operands[0], operands[1])
    return graph.select(isFirst, tangents[0], tangents[1], like: result.type)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    preconditionFailure("the minimum is not linear")
  }
}
