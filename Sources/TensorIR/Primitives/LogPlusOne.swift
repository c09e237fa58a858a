#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise `y = ln(1 + x)`, exact for small `x`.
///
/// - Derivative: `1 / (1 + x)`.
/// - StableHLO: `log_plus_one`.
public struct LogPlusOne: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "log_plus_one"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { log1p(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    let one = graph.constant(1, x.type)
    return graph.apply(Divide(), one, graph.apply(Add(), one, x))
  }
}
