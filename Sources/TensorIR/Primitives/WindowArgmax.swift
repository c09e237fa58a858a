/// Where in the flattened spatial plane the largest element of each window lies.
///
/// - Shape: `[N, S…, C] → index[N, S′…, C]`.
/// - Ties: the first element in row-major order, as in PyTorch; padding never wins. NaN beats every
///   number, so that it is seen behind the window; the first one does.
/// - Derivative: zero. A maximum over windows is ``WindowGather`` at these places.
public struct WindowArgmax: PiecewiseConstantPrimitive {
  public static let mnemonic = "window_argmax"

  public var geometry: WindowGeometry

  public init(_ geometry: WindowGeometry) { self.geometry = geometry }

  public var attributes: Attributes { Attributes(geometry.attributes) }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try WindowGeometry(attributes)
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    try geometry.resultType(of: self, operands, .index)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    graph.mappingSamples(operands) { samples, graph in graph.apply(self, samples) }
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var places = Array(repeating: -1.0, count: result.elementCount)
    var largest = Array(repeating: -Double.infinity, count: result.elementCount)
    geometry.forEachElement(input: types[0].shape, output: result.shape) { y, x, place in
      let isLarger = operands[0][x] > largest[y] || (operands[0][x].isNaN && !largest[y].isNaN)
      if places[y] < 0 || isLarger {
        places[y] = Double(place)
        largest[y] = operands[0][x]
      }
    }
    return places
  }
}
