/// The sum over windows; elements outside count as zero.
///
/// - Shape: `[N, S…, C] → [N, S′…, C]`.
/// - StableHLO: `reduce_window` with `add`.
public struct ReduceWindow: LinearPrimitive {
  public static let mnemonic = "reduce_window"

  public var geometry: WindowGeometry

  public init(_ geometry: WindowGeometry) { self.geometry = geometry }

  public var attributes: Attributes { Attributes(geometry.attributes) }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try WindowGeometry(attributes)
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try geometry.resultType(of: self, operands, .real)
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(
      ReduceWindowTranspose(
        geometry, input: Array(operands[0].type.shape[1...geometry.rank])), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.mappingSamples(operands) { samples, graph in graph.apply(self, samples) }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var sums = Array(repeating: 0.0, count: result.elementCount)
    geometry.forEachElement(input: types[0].shape, output: result.shape) { y, x, _ in
      sums[y] += operands[0][x]
    }
    return sums
  }
}

extension Graph {
  /// Joins a leading batch axis with the sample axis behind it, applies `body`, and parts them.
  mutating func mappingSamples(
    _ values: [Value], _ body: ([Value], inout Graph) -> Value
  ) -> Value {
    let joined = values.map { value in
      let shape = value.type.shape
      return apply(Reshape(to: [shape[0] * shape[1]] + shape[2...]), value)
    }
    let result = body(joined, &self)
    let batch = values[0].type.shape[0]
    let shape = result.type.shape
    return apply(Reshape(to: [batch, shape[0] / batch] + shape[1...]), result)
  }
}
