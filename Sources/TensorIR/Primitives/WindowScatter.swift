/// Adds each element to one place of a spatial plane of zeros, per sample and channel: the
/// transpose of ``WindowGather``.
///
/// - Shape: `[N, S′…, C], index[N, S′…, C] → [N, S…, C]`.
/// - Requires: Every index is a place of the flattened spatial plane.
/// - StableHLO: `scatter` with `add`.
public struct WindowScatter: MultilinearPrimitive {
  public static let mnemonic = "window_scatter"

  /// The spatial extents `S…`.
  public var plane: [Int]

  public init(plane: [Int]) { self.plane = plane }

  public var attributes: Attributes { ["plane": .integers(plane)] }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    plane = try attributes.integers("plane")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try require(operands, .real, .index)
    guard operands[0].shape == operands[1].shape, operands[0].rank == plane.count + 2,
      !plane.isEmpty
    else { throw mismatch(operands, "elements and an index for each") }
    let shape = operands[0].shape
    return TensorType([shape[0]] + plane + [shape[shape.count - 1]])
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    graph.apply(WindowGather(), cotangent, operands[1])
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.mappingSamples(graph.aligned(operands, isBatched)) { samples, graph in
      graph.apply(self, samples)
    }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var sums = Array(repeating: 0.0, count: result.elementCount)
    let channels = result.shape[result.rank - 1]
    let (whole, picked) = (
      result.elementCount / result.shape[0], types[0].elementCount / types[0].shape[0]
    )
    for index in operands[0].indices {
      let place = Int(operands[1][index]) * channels + index % channels
      sums[index / picked * whole + place] += operands[0][index]
    }
    return sums
  }
}
