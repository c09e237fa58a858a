/// Reorders the axes.
///
/// - Shape: axis `i` of the result is axis `permutation[i]` of the operand.
/// - StableHLO: `transpose`.
public struct Transpose: LinearPrimitive {
  public static let mnemonic = "transpose"

  public var permutation: [Int]

  public init(_ permutation: [Int]) { self.permutation = permutation }

  public var attributes: Attributes { ["permutation": .integers(permutation)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    permutation = try attributes.integers("permutation")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, permutation.sorted() == Array(operands[0].shape.indices) else {
      throw mismatch(operands, "a tensor whose axes \(permutation) permutes")
    }
    return operands[0].reshaped(permutation.map { operands[0].shape[$0] })
  }

  /// The permutation that undoes this one.
  public var inverse: [Int] {
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return inverse
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(Transpose(inverse), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(Transpose([0] + permutation.map { $0 + 1 }), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let operand = operands[0]
    if permutation == Array(permutation.indices) { return operand }
    if let scalar = graph.uniform(operand) {
      return graph.constant(
        scalar, operand.type.reshaped(permutation.map { operand.type.shape[$0] }))
    }
    if let inner = graph.application(operand, of: Transpose.self) {
      return graph.apply(
        Transpose(permutation.map { inner.primitive.permutation[$0] }), inner.operands[0])
    }
    // Moving only axes of extent 1 leaves the order of the elements.
    let moved = permutation.filter { operand.type.shape[$0] > 1 }
    if moved == moved.sorted() {
      return graph.apply(Reshape(to: permutation.map { operand.type.shape[$0] }), operand)
    }
    return nil
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let strides = types[0].strides
    let moved = permutation.map { strides[$0] }
    return RowMajorPositions(result.shape).map { operands[0][$0.offset(moved)] }
  }
}
