#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise exponential, `y = eˣ`.
///
/// - Derivative: `y`.
/// - StableHLO: `exponential`.
public struct Exponential: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "exponential"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { exp(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    y
  }
}
