#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise logistic function, `y = 1 / (1 + e⁻ˣ)`.
///
/// - Derivative: `y (1 − y)`.
/// - StableHLO: `logistic`.
public struct Logistic: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "logistic"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    graph.apply(Multiply(), y, graph.apply(Subtract(), graph.constant(1, y.type), y))
  }
}
