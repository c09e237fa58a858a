#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise natural logarithm, `y = ln x`.
///
/// - Derivative: `1 / x`.
/// - StableHLO: `log`.
public struct Log: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "log"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { log(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    graph.apply(Divide(), graph.constant(1, x.type), x)
  }
}
