/// Element-wise comparison of two tensors of one type.
///
/// - Derivative: zero.
/// - StableHLO: `compare`.
public struct Compare: ElementwisePrimitive, PiecewiseConstantPrimitive {
  public static let mnemonic = "compare"

  public enum Direction: String, Sendable, CaseIterable {
    case equal = "EQ"
    case notEqual = "NE"
    case greater = "GT"
    case greaterOrEqual = "GE"
    case less = "LT"
    case lessOrEqual = "LE"
  }

  public var direction: Direction

  public init(_ direction: Direction) { self.direction = direction }

  public var attributes: Attributes { ["direction": .word(direction.rawValue)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    direction = try attributes.word("direction", as: Direction.self)
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 2, operands[0] == operands[1] else {
      throw mismatch(operands, "two equal types")
    }
    return TensorType(operands[0].shape, .boolean)
  }

  /// Whether `x` stands in this relation to `y`; comparisons with NaN are false, `NE` is true.
  public func callAsFunction(_ x: Double, _ y: Double) -> Bool {
    switch direction {
    case .equal: x == y
    case .notEqual: x != y
    case .greater: x > y
    case .greaterOrEqual: x >= y
    case .less: x < y
    case .lessOrEqual: x <= y
    }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    zip(operands[0], operands[1]).map { self($0, $1) ? 1 : 0 }
  }
}
