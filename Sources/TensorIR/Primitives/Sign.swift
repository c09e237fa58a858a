/// Element-wise sign: −1, 0 or 1.
///
/// - Derivative: zero almost everywhere.
/// - StableHLO: `sign`.
public struct Sign: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "sign"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { x.isNaN ? x : x > 0 ? 1 : x < 0 ? -1 : x }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    nil
  }
}
