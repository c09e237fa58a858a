/// A convolution (a cross-correlation, as in every framework).
///
/// - Shape: `[N, S…, C], [K…, C / groups, O] → [N, S′…, O]` with 1 to 3 spatial axes.
/// - StableHLO: `convolution` with dimension numbers `[b, 0…, f] × [0…, i, o] → [b, 0…, f]`.
public struct Convolution: MultilinearPrimitive {
  public static let mnemonic = "convolution"

  public var geometry: ConvolutionGeometry

  public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  public var attributes: Attributes { Attributes(geometry.attributes) }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try ConvolutionGeometry(attributes)
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    let rank = geometry.rank
    guard geometry.isSound, operands.count == 2, operands.allSatisfy({ $0.rank == rank + 2 }),
      let extents = geometry.output(
        input: Array(operands[0].shape[1...rank]), kernel: Array(operands[1].shape[..<rank]))
    else { throw mismatch(operands, "[N, S…, C] and [K…, C / groups, O] that fit \(geometry)") }
    let result = TensorType([operands[0].shape[0]] + extents + [operands[1].shape[rank + 1]])
    guard geometry.relates(input: operands[0], kernel: operands[1], output: result) else {
      throw mismatch(operands, "channels that \(geometry.groups) groups divide")
    }
    return result
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    let rank = geometry.rank
    return operand == 0
      ? graph.apply(
        ConvolutionInputTranspose(geometry, input: Array(operands[0].type.shape[1...rank])),
        cotangent, operands[1])
      : graph.apply(
        ConvolutionKernelTranspose(geometry, kernel: Array(operands[1].type.shape[..<rank])),
        operands[0], cotangent)
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let batch = ConvolutionBatch(geometry, operands, isBatched)
    let result = graph.apply(
      Convolution(batch.geometry), batch.activation(operands[0], isBatched[0], in: &graph),
      batch.kernel(operands[1], isBatched[1], in: &graph))
    return batch.split(activation: result, in: &graph)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var output = Array(repeating: 0.0, count: result.elementCount)
    geometry.forEachProduct(input: types[0], kernel: types[1], output: result) { x, k, y in
      output[y] += operands[0][x] * operands[1][k]
    }
    return output
  }
}
