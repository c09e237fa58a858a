/// The sum or the maximum over some axes, which vanish.
///
/// - Derivative of the maximum: shared equally among the elements that attain it.
/// - StableHLO: `reduce` with `add` or `maximum`.
public struct Reduce: Primitive {
  public static let mnemonic = "reduce"

  public enum Operation: String, Sendable, CaseIterable { case sum, maximum }

  public var operation: Operation
  /// Ascending.
  public var axes: [Int]

  public init(_ operation: Operation, axes: [Int]) {
    self.operation = operation
    self.axes = axes
  }

  public var attributes: Attributes {
    ["operation": .word(operation.rawValue), "axes": .integers(axes)]
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    operation = try attributes.word("operation", as: Operation.self)
    axes = try attributes.integers("axes")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real)
    guard zip(axes, axes.dropFirst()).allSatisfy({ $0 < $1 }),
      axes.allSatisfy(operands[0].shape.indices.contains)
    else { throw mismatch(operands, "ascending axes \(axes)") }
    return TensorType(kept(operands[0]).map { operands[0].shape[$0] })
  }

  /// The axes that stay.
  public func kept(_ operand: TensorType) -> [Int] {
    operand.shape.indices.filter { !axes.contains($0) }
  }

  private func expanded(_ value: Value, to type: TensorType, in graph: inout Graph) -> Value {
    graph.apply(BroadcastInDim(shape: type.shape, axes: kept(type)), value)
  }

  public func pushforward(
    _ tangents: [Value?], at operands: [Value], result: Value, in graph: inout Graph
  ) -> Value? {
    guard let tangent = tangents[0] else { return nil }
    guard operation == .maximum else { return graph.apply(self, tangent) }
    let type = operands[0].type
    let winners = graph.apply(
      Convert(to: .real),
      graph.apply(Compare(.equal), operands[0], expanded(result, to: type, in: &graph)))
    let sum = Reduce(.sum, axes: axes)
    let total = graph.apply(sum, graph.apply(Multiply(), tangent, winners))
    return graph.apply(Divide(), total, graph.apply(sum, winners))
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    precondition(operation == .sum, "a maximum is not linear")
    return expanded(cotangent, to: operands[0].type, in: &graph)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(Reduce(operation, axes: axes.map { $0 + 1 }), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let operand = operands[0]
    if axes.isEmpty { return operand }
    let count = axes.reduce(1) { $0 * operand.type.shape[$1] }
    if let scalar = graph.uniform(operand) {
      let type = TensorType(kept(operand.type).map { operand.type.shape[$0] })
      return graph.constant(operation == .sum ? scalar * Double(count) : scalar, type)
    }
    if count == 1 {
      return graph.apply(
        Reshape(to: kept(operand.type).map { operand.type.shape[$0] }), operand)
    }
    if let inner = graph.application(operand, of: Reduce.self),
      inner.primitive.operation == operation
    {
      let remaining = inner.primitive.kept(inner.operands[0].type)
      let all = inner.primitive.axes + axes.map { remaining[$0] }
      return graph.apply(Reduce(operation, axes: all.sorted()), inner.operands[0])
    }
    return nil
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var reduced = Array(
      repeating: operation == .sum ? 0 : -Double.infinity, count: result.elementCount)
    let (kept, strides) = (kept(types[0]), result.strides)
    for (index, position) in RowMajorPositions(types[0].shape).enumerated() {
      let target = kept.map { position[$0] }.offset(strides)
      switch operation {
      case .sum: reduced[target] += operands[0][index]
      case .maximum: reduced[target] = Maximum()(reduced[target], operands[0][index])
      }
    }
    return reduced
  }
}
