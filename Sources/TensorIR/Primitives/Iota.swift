/// Counts along one axis: the element at a position is its coordinate on that axis.
///
/// - Shape: no operands → `index[shape]`.
/// - StableHLO: `iota`.
public struct Iota: PiecewiseConstantPrimitive {
  public static let mnemonic = "iota"

  public var shape: [Int]
  public var axis: Int

  public init(shape: [Int], axis: Int) {
    self.shape = shape
    self.axis = axis
  }

  public var attributes: Attributes { ["shape": .integers(shape), "axis": .integers([axis])] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    shape = try attributes.integers("shape")
    axis = try attributes.integer("axis")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.isEmpty, shape.indices.contains(axis), shape.allSatisfy({ $0 > 0 }) else {
      throw mismatch(operands, "no operands and an axis of \(shape)")
    }
    return TensorType(shape, .index)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(self, operands)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    RowMajorPositions(shape).map { Double($0[axis]) }
  }
}
