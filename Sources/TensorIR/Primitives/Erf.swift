#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Element-wise error function, `y = 2/√π ∫₀ˣ e^(−t²) dt`.
///
/// - Derivative: `2/√π · e^(−x²)`.
/// - StableHLO: `chlo.erf`.
public struct Erf: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "erf"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { erf(x) }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    let bell = graph.apply(
      Exponential(), graph.apply(Negate(), graph.apply(Multiply(), x, x)))
    return graph.apply(
      Multiply(), graph.constant(2 / Double.pi.squareRoot(), x.type), bell)
  }
}
