/// Surrounds and interleaves a tensor with zeros.
///
/// - Shape: along each axis `low + (extent − 1)(interior + 1) + 1 + high`.
/// - StableHLO: `pad` with a padding value of zero and no negative amounts.
public struct Pad: LinearPrimitive {
  public static let mnemonic = "pad"

  public var low: [Int]
  public var high: [Int]
  public var interior: [Int]

  public init(low: [Int], high: [Int], interior: [Int]? = nil) {
    self.low = low
    self.high = high
    self.interior = interior ?? low.map { _ in 0 }
  }

  public var attributes: Attributes {
    ["low": .integers(low), "high": .integers(high), "interior": .integers(interior)]
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    low = try attributes.integers("low")
    high = try attributes.integers("high")
    interior = try attributes.integers("interior")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    guard operands.count == 1, operands[0].element == .real, low.count == operands[0].rank,
      high.count == low.count, interior.count == low.count,
      (low + high + interior).allSatisfy({ (0...TensorType.largestExtent).contains($0) })
    else { throw mismatch(operands, "a real tensor with \(low.count) axes") }
    return operands[0].reshaped(
      low.indices.map { axis in
        low[axis] + (operands[0].shape[axis] - 1) * (interior[axis] + 1) + 1 + high[axis]
      })
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    let limits = low.indices.map { cotangent.type.shape[$0] - high[$0] }
    return graph.apply(
      Slice(starts: low, limits: limits, strides: interior.map { $0 + 1 }), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.apply(Pad(low: [0] + low, high: [0] + high, interior: [0] + interior), operands[0])
  }

  public func simplified(_ operands: [Value], in graph: inout Graph) -> Value? {
    (low + high + interior).allSatisfy { $0 == 0 }
      ? operands[0] : zeroOfZeros(operands, in: &graph)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var padded = Array(repeating: 0.0, count: result.elementCount)
    let strides = result.strides
    for (index, position) in RowMajorPositions(types[0].shape).enumerated() {
      let target = position.indices.map { low[$0] + position[$0] * (interior[$0] + 1) }
      padded[target.offset(strides)] = operands[0][index]
    }
    return padded
  }
}
