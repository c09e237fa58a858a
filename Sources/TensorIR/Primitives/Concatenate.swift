/// Joins tensors along one axis.
///
/// - StableHLO: `concatenate`.
public struct Concatenate: LinearPrimitive {
  public static let mnemonic = "concatenate"

  public var axis: Int

  public init(axis: Int) { self.axis = axis }

  public var attributes: Attributes { ["axis": .integers([axis])] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    axis = try attributes.integer("axis")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard let first = operands.first, first.shape.indices.contains(axis),
      operands.allSatisfy({ $0.element == first.element && $0.rank == first.rank }),
      operands.allSatisfy({ operand in
        first.shape.indices.allSatisfy { $0 == axis || operand.shape[$0] == first.shape[$0] }
      })
    else { throw mismatch(operands, "types that differ along axis \(axis) only") }
    var shape = first.shape
    shape[axis] = operands.reduce(0) { $0 + $1.shape[axis] }
    return first.reshaped(shape)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    var starts = cotangent.type.shape.map { _ in 0 }
    var limits = cotangent.type.shape
    starts[axis] = operands[..<operand].reduce(0) { $0 + $1.type.shape[axis] }
    limits[axis] = starts[axis] + operands[operand].type.shape[axis]
    return graph.apply(Slice(starts: starts, limits: limits), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    guard let index = isBatched.firstIndex(of: true) else { return graph.apply(self, operands) }
    let extent = operands[index].type.shape[0]
    let aligned = zip(operands, isBatched).map { $1 ? $0 : graph.repeated($0, extent) }
    return graph.apply(Concatenate(axis: axis + 1), aligned)
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    if operands.count == 1 { return operands[0] }
    guard let scalar = graph.uniform(operands[0]),
      operands.allSatisfy({ graph.uniform($0)?.bitPattern == scalar.bitPattern }),
      let type = try? resultType(of: operands.map(\.type))
    else { return nil }
    return graph.constant(scalar, type)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let outer = result.shape[..<axis].reduce(1, *)
    return (0..<outer).flatMap { row in
      zip(operands, types).flatMap { elements, type in
        let width = type.elementCount / outer
        return elements[row * width..<(row + 1) * width]
      }
    }
  }
}
