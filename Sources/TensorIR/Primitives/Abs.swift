/// Element-wise absolute value, `y = |x|`.
///
/// - Derivative: `sign(x)`, hence 0 at 0.
/// - StableHLO: `abs`.
public struct Abs: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "abs"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { Swift.abs(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    graph.apply(Sign(), x)
  }
}
