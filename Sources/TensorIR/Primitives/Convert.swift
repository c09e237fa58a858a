/// Changes the kind of the elements: truth values and indices become numbers.
///
/// - Derivative: zero.
/// - StableHLO: `convert`.
public struct Convert: ElementwisePrimitive, PiecewiseConstantPrimitive {
  public static let mnemonic = "convert"

  public var element: ElementType

  public init(to element: ElementType) { self.element = element }

  public var attributes: Attributes { ["to": .word(element.rawValue)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    element = try attributes.word("to", as: ElementType.self)
  }

  /// Real numbers stay what they are: rounding them would hide a mistake.
  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, operands[0].element != .real, element != .boolean else {
      throw mismatch(operands, "truth values or indices")
    }
    return TensorType(operands[0].shape, element)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    operands[0].type.element == element ? operands[0] : nil
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] { operands[0] }
}
