/// Element-wise product, `z = x · y`.
///
/// - StableHLO: `multiply`.
public struct Multiply: BinaryElementwise, PlainPrimitive, MultilinearPrimitive {
  public static let mnemonic = "multiply"

  public init() {}

  public func callAsFunction(_ x: Double, _ y: Double) -> Double { x * y }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(self, cotangent, operands[1 - operand])
  }

  /// Zero times anything is zero here, even an infinity or NaN.
  ///
  /// Symbolic zeros stand for absent tangents, not for numbers that may meet one. Factors are joined where single precision can hold their product;
  /// the result then differs by a rounding.
  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    for (scalar, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      switch graph.uniform(scalar) {
      case 0: return graph.zero(other.type)
      case 1: return other
      case -1: return graph.apply(Negate(), other)
      case let factor?:
        if let inner = graph.application(other, of: Multiply.self),
          let known = graph.uniform(inner.operands[0]), Float(factor * known).isNormal
        {
          return graph.apply(
            self, graph.constant(factor * known, other.type), inner.operands[1])
        }
      case nil: break
      }
    }
    let (x, y) = (operands[0], operands[1])
    // A uniform factor comes first, then the earlier operand: a product has one spelling.
    let isOrdered =
      graph.uniform(x) != nil || (graph.uniform(y) == nil && x.index <= y.index)
    return isOrdered ? nil : graph.apply(self, y, x)
  }
}
