/// The larger of two elements.
///
/// - Derivative: that of the larger operand; of the second where both are equal, so that
///   `maximum(x, 0)` has slope 0 at 0 as frameworks define ReLU.
/// - StableHLO: `maximum`.
public struct Maximum: BinaryElementwise, PlainPrimitive {
  public static let mnemonic = "maximum"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double {
    x.isNaN || y.isNaN ? .nan : max(x, y)
  }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    let isFirst = graph.apply(Compare(.greater), operands[0], operands[1])
    return graph.select(isFirst, tangents[0], tangents[1], like: result.type)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    preconditionFailure("the maximum is not linear")
  }
}
