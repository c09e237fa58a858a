/// The transpose of a convolution in its input: the gradient in the input, and what frameworks call
/// a transposed convolution.
///
/// - Shape: `[N, S′…, O], [K…, C / groups, O] → [N, S…, C]`.
/// - StableHLO: `convolution` with `lhs_dilation` and a reversed kernel.
public struct ConvolutionInputTranspose: MultilinearPrimitive {
  public static let mnemonic = "convolution_input_transpose"

  /// The geometry of the convolution that is transposed.
  public var geometry: ConvolutionGeometry
  /// The spatial extents of its input.
  public var input: [Int]

  public init(_ geometry: ConvolutionGeometry, input: [Int]) {
    self.geometry = geometry
    self.input = input
  }

  public var attributes: Attributes {
    Attributes(geometry.attributes + [.init(name: "input", value: .integers(input))])
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try ConvolutionGeometry(attributes)
    input = try attributes.integers("input")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    let rank = geometry.rank
    guard geometry.isSound, operands.count == 2, operands.allSatisfy({ $0.rank == rank + 2 })
    else {
      throw mismatch(operands, "[N, S′…, O] and [K…, C / groups, O]")
    }
    let channels = operands[1].shape[rank] * geometry.groups
    let result = TensorType([operands[0].shape[0]] + input + [channels])
    guard geometry.relates(input: result, kernel: operands[1], output: operands[0]) else {
      throw mismatch(operands, "the output and kernel of a convolution over \(input)")
    }
    return result
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    operand == 0
      ? graph.apply(Convolution(geometry), cotangent, operands[1])
      : graph.apply(
        ConvolutionKernelTranspose(
          geometry, kernel: Array(operands[1].type.shape[..<geometry.rank])),
        cotangent, operands[0])
  }

  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let batch = ConvolutionBatch(geometry, operands, isBatched)
    let result = graph.apply(
      ConvolutionInputTranspose(batch.geometry, input: input),
      batch.activation(operands[0], isBatched[0], in: &graph),
      batch.kernel(operands[1], isBatched[1], in: &graph))
    return batch.split(activation: result, in: &graph)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var gradient = Array(repeating: 0.0, count: result.elementCount)
    geometry.forEachProduct(input: result, kernel: types[1], output: types[0]) { x, k, y in
      gradient[x] += operands[0][y] * operands[1][k]
    }
    return gradient
  }
}
