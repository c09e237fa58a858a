/// A regular part of a tensor.
///
/// - Shape: along each axis the coordinates `start, start + stride, … < limit`.
/// - StableHLO: `slice`.
public struct Slice: LinearPrimitive {
  public static let mnemonic = "slice"

  public var starts: [Int]
  public var limits: [Int]
  public var strides: [Int]

  public init(starts: [Int], limits: [Int], strides: [Int]? = nil) {
    self.starts = starts
    self.limits = limits
    self.strides = strides ?? starts.map { _ in 1 }
  }

  public var attributes: Attributes {
    [
      "starts": .integers(starts), "limits": .integers(limits), "strides": .integers(strides),
    ]
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    starts = try attributes.integers("starts")
    limits = try attributes.integers("limits")
    strides = try attributes.integers("strides")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, starts.count == operands[0].rank, limits.count == starts.count,
      strides.count == starts.count,
      strides.allSatisfy({ (1...TensorType.largestExtent).contains($0) }),
      operands[0].shape.indices.allSatisfy({
        starts[$0] >= 0 && starts[$0] < limits[$0] && limits[$0] <= operands[0].shape[$0]
      })
    else { throw mismatch(operands, "a tensor that holds \(starts) to \(limits)") }
    return operands[0].reshaped(
      starts.indices.map { (limits[$0] - starts[$0] + strides[$0] - 1) / strides[$0] })
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    let kept = cotangent.type.shape
    let high = starts.indices.map { axis in
      operands[0].type.shape[axis] - starts[axis] - ((kept[axis] - 1) * strides[axis] + 1)
    }
    return graph.apply(
      Pad(low: starts, high: high, interior: strides.map { $0 - 1 }), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(
      Slice(
        starts: [0] + starts, limits: [operands[0].type.shape[0]] + limits,
        strides: [1] + strides), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    let operand = operands[0]
    let isWhole =
      starts.allSatisfy { $0 == 0 } && limits == operand.type.shape
      && strides.allSatisfy { $0 == 1 }
    if isWhole { return operand }
    guard let scalar = graph.uniform(operand), let type = try? resultType(of: [operand.type])
    else { return nil }
    return graph.constant(scalar, type)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    let distances = types[0].strides
    return RowMajorPositions(result.shape).map { position in
      operands[0][
        position.indices.map { starts[$0] + position[$0] * strides[$0] }.offset(distances)]
    }
  }
}
