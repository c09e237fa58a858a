/// Copies a tensor along new axes.
///
/// - Shape: axis `i` of the operand becomes axis `axes[i]` of the result, with the same extent.
/// - StableHLO: `broadcast_in_dim`, without its expansion of extents of 1.
public struct BroadcastInDim: LinearPrimitive {
  public static let mnemonic = "broadcast_in_dim"

  public var shape: [Int]
  /// Ascending.
  public var axes: [Int]

  public init(shape: [Int], axes: [Int]) {
    self.shape = shape
    self.axes = axes
  }

  public var attributes: Attributes { ["shape": .integers(shape), "axes": .integers(axes)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    shape = try attributes.integers("shape")
    axes = try attributes.integers("axes")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, axes.count == operands[0].rank,
      zip(axes, axes.dropFirst()).allSatisfy({ $0 < $1 }),
      axes.allSatisfy(shape.indices.contains), axes.map({ shape[$0] }) == operands[0].shape
    else { throw mismatch(operands, "ascending axes \(axes) with those extents in \(shape)") }
    return operands[0].reshaped(shape)
  }

  /// The axes along which the operand is copied.
  public var newAxes: [Int] { shape.indices.filter { !axes.contains($0) } }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(Reduce(.sum, axes: newAxes), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let extent = operands[0].type.shape[0]
    return graph.apply(
      BroadcastInDim(shape: [extent] + shape, axes: [0] + axes.map { $0 + 1 }), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let operand = operands[0]
    if let scalar = graph.uniform(operand) {
      return graph.constant(scalar, operand.type.reshaped(shape))
    }
    // New axes of extent 1 copy nothing.
    if newAxes.allSatisfy({ shape[$0] == 1 }) { return graph.apply(Reshape(to: shape), operand) }
    if let inner = graph.application(operand, of: BroadcastInDim.self) {
      return graph.apply(
        BroadcastInDim(shape: shape, axes: inner.primitive.axes.map { axes[$0] }),
        inner.operands[0])
    }
    return nil
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let strides = types[0].strides
    return RowMajorPositions(shape).map { position in
      operands[0][axes.map { position[$0] }.offset(strides)]
    }
  }
}
