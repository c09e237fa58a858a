/// Element-wise square root, `y = √x`.
///
/// - Derivative: `1 / (2y)`.
/// - StableHLO: `sqrt`.
public struct Sqrt: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "sqrt"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { x.squareRoot() }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    graph.apply(Divide(), graph.constant(0.5, y.type), y)
  }
}
