/// A primitive whose result at each place depends on its operands at that place alone.
///
/// Backends fuse runs of them into one pass.
public protocol ElementwisePrimitive: Primitive {}

extension ElementwisePrimitive {
  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    guard let index = isBatched.firstIndex(of: true) else { return graph.apply(self, operands) }
    let extent = operands[index].type.shape[0]
    let aligned = zip(operands, isBatched).map { operand, isBatched in
      isBatched ? operand : graph.repeated(operand, extent)
    }
    return graph.apply(self, aligned)
  }
}

/// A primitive `yᵢ = f(xᵢ)`, whose Jacobian is diagonal.
public protocol UnaryElementwise: ElementwisePrimitive {
  /// `f′(x)`, element by element; `nil` where it is zero almost everywhere. Prefer a form in
  /// `result` where it is cheaper or rounds better.
  func derivative(at operand: Value, result: Value, in graph: inout Graph) -> Value?

  /// `f(x)`.
  func callAsFunction(_ x: Double) -> Double
}

extension UnaryElementwise {
  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real)
    return operands[0]
  }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    guard let tangent = tangents[0],
      let slope = derivative(at: operands[0], result: result, in: &graph)
    else { return nil }
    return graph.apply(Multiply(), tangent, slope)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    preconditionFailure("\(mnemonic) is not linear")
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    operands[0].map { self($0) }
  }
}

/// A primitive `zᵢ = f(xᵢ, yᵢ)` over two real tensors of one type.
public protocol BinaryElementwise: ElementwisePrimitive {
  /// `f(x, y)`.
  func callAsFunction(_ x: Double, _ y: Double) -> Double
}

extension BinaryElementwise {
  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .real)
    guard operands[0] == operands[1] else { throw mismatch(operands, "two equal types") }
    return operands[0]
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    zip(operands[0], operands[1]).map { self($0, $1) }
  }
}

extension Graph {
  /// `value` with a new leading axis of `extent` equal copies.
  public mutating func repeated(_ value: Value, _ extent: Int) -> Value {
    apply(
      BroadcastInDim(
        shape: [extent] + value.type.shape, axes: Array(value.type.shape.indices.map { $0 + 1 })),
      value)
  }
}
