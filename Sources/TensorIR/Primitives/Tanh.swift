#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise hyperbolic tangent, `y = tanh(x)`.
///
/// - Derivative: `(1 − y)(1 + y)`: the factored form keeps full relative accuracy where `|y| → 1`;
///   `1 − y²` cancels there.
/// - StableHLO: `tanh`.
public struct Tanh: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "tanh"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { tanh(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    let one = graph.constant(1, y.type)
    return graph.apply(
      Multiply(), graph.apply(Subtract(), one, y), graph.apply(Add(), one, y))
  }
}
