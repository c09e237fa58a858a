/// Element-wise reciprocal square root, `y = 1 / √x`.
///
/// - Derivative: `−y³ / 2`.
/// - StableHLO: `rsqrt`.
public struct Rsqrt: UnaryElementwise, PlainPrimitive {
  public static let mnemonic = "rsqrt"

  public init() {}

  public func callAsFunction(_ x: Double) -> Double { 1 / x.squareRoot() }

  public func derivative(at x: Value, result y: Value, in graph: inout Graph) -> Value? {
    let square = graph.apply(Multiply(), y, y)
    let cube = graph.apply(Multiply(), square, y)
    return graph.apply(Multiply(), graph.constant(-0.5, y.type), cube)
  }
}
