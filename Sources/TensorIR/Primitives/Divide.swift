/// Element-wise quotient, `z = x / y`.
///
/// - StableHLO: `divide`.
public struct Divide: BinaryElementwise, PlainPrimitive {
  public static let mnemonic = "divide"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double { x / y }

  /// `ż = ẋ / y − ẏ · z / y`.
  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    let along = tangents[0].map { graph.apply(self, $0, operands[1]) }
    let across = tangents[1].map { tangent in
      let slope = graph.apply(self, result, operands[1])
      return graph.apply(Negate(), graph.apply(Multiply(), tangent, slope))
    }
    return graph.sum(along, across)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    precondition(operand == 0, "a quotient is not linear in its divisor")
    return graph.apply(self, cotangent, operands[1])
  }

  /// Zero over anything is zero here, even over zero or NaN.
  ///
  /// Symbolic zeros stand for absent tangents, as in ``Multiply``.
  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    if graph.uniform(operands[0]) == 0 { return graph.zero(operands[0].type) }
    guard let divisor = graph.uniform(operands[1]), divisor != 0 else { return nil }
    if divisor == 1 { return operands[0] }
    // Only powers of two have an exact reciprocal, and only within this range in both precisions.
    guard divisor.significand == 1, (-126...126).contains(divisor.exponent) else { return nil }
    return graph.apply(Multiply(), operands[0], graph.constant(1 / divisor, operands[0].type))
  }
}
