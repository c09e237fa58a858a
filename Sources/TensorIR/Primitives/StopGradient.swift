/// Passes its operand on and has, by definition, no derivative.
///
/// It marks quantities that do not influence a result, such as the shift of a stable softmax, so
/// that no derivative of them is computed. StableHLO has no such operation; it prints as nothing.
public struct StopGradient: ElementwisePrimitive, PlainPrimitive, PiecewiseConstantPrimitive {
  public static let mnemonic = "stop_gradient"

  public init() {}

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1 else { throw mismatch(operands, "one tensor") }
    return operands[0]
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] { operands[0] }
}
