#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise `y = eˣ − 1`, exact for small `x`.
///
/// - Derivative: `y + 1`.
/// - StableHLO: `exponential_minus_one`.
public struct ExponentialMinusOne: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "exponential_minus_one"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { expm1(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    graph.apply(Add(), y, graph.constant(1, y.type))
  }
}
