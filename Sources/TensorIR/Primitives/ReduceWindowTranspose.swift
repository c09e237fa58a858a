/// The transpose of the sum over windows: adds each output to every element of its window.
///
/// - Shape: `[N, S′…, C] → [N, S…, C]`.
/// - StableHLO: `pad` with interior padding, then `reduce_window`.
public struct ReduceWindowTranspose: LinearPrimitive {
  public static let mnemonic = "reduce_window_transpose"

  /// The geometry of the sum that is transposed.
  public var geometry: WindowGeometry
  /// The spatial extents of its input.
  public var input: [Int]

  public init(_ geometry: WindowGeometry, input: [Int]) {
    self.geometry = geometry
    self.input = input
  }

  public var attributes: Attributes {
    Attributes(geometry.attributes + [.init(name: "input", value: .integers(input))])
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try WindowGeometry(attributes)
    input = try attributes.integers("input")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real)
    guard let first = operands[0].shape.first, let last = operands[0].shape.last,
      geometry.output([first] + input + [last]) == operands[0].shape
    else { throw mismatch(operands, "the output of \(geometry) over \(input)") }
    return TensorType([first] + input + [last])
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(ReduceWindow(geometry), cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.mappingSamples(operands) { samples, graph in graph.apply(self, samples) }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var spread = Array(repeating: 0.0, count: result.elementCount)
    geometry.forEachElement(input: result.shape, output: types[0].shape) { y, x, _ in
      spread[x] += operands[0][y]
    }
    return spread
  }
}
