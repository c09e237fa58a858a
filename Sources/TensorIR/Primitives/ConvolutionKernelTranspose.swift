/// The transpose of a convolution in its kernel: the gradient in the kernel.
///
/// - Shape: `[N, S…, C], [N, S′…, O] → [K…, C / groups, O]`.
/// - StableHLO: `convolution` with the batch as the contracted axis.
public struct ConvolutionKernelTranspose: MultilinearPrimitive {
  public static let mnemonic = "convolution_kernel_transpose"

  /// The geometry of the convolution that is transposed.
  public var geometry: ConvolutionGeometry
  /// The spatial extents of its kernel.
  public var kernel: [Int]

  public init(_ geometry: ConvolutionGeometry, kernel: [Int]) {
    self.geometry = geometry
    self.kernel = kernel
  }

  public var attributes: Attributes {
    Attributes(geometry.attributes + [.init(name: "kernel", value: .integers(kernel))])
  }

  public init(_ attributes: Attributes) throws(AttributeMismatch) {
    geometry = try ConvolutionGeometry(attributes)
    kernel = try attributes.integers("kernel")
  }

  public func resultType(of operands: [TensorType]) throws(TypeMismatch) -> TensorType {
    let rank = geometry.rank
    guard geometry.isSound, operands.count == 2, operands.allSatisfy({ $0.rank == rank + 2 })
    else {
      throw mismatch(operands, "[N, S…, C] and [N, S′…, O]")
    }
    let result = TensorType(
      kernel + [operands[0].shape[rank + 1] / geometry.groups, operands[1].shape[rank + 1]])
    guard geometry.relates(input: operands[0], kernel: result, output: operands[1]) else {
      throw mismatch(operands, "the input and output of a convolution by \(kernel)")
    }
    return result
  }

  public func transpose(
    _ cotangent: Value, to operand: Int, linear: [Bool], at operands: [Value],
    in graph: inout Graph
  ) -> Value? {
    operand == 0
      ? graph.apply(
        ConvolutionInputTranspose(
          geometry, input: Array(operands[0].type.shape[1...geometry.rank])),
        operands[1], cotangent)
      : graph.apply(Convolution(geometry), operands[0], cotangent)
  }

  /// Each member of the batch has a kernel of its own, so both operands become groups.
  public func batched(_ operands: [Value], isBatched: [Bool], in graph: inout Graph) -> Value {
    let batch = ConvolutionBatch(geometry, operands, [true, true], leading: isBatched)
    let result = graph.apply(
      ConvolutionKernelTranspose(batch.geometry, kernel: kernel),
      batch.activation(operands[0], isBatched[0], in: &graph),
      batch.activation(operands[1], isBatched[1], in: &graph))
    return batch.split(kernel: result, in: &graph)
  }

  public func reference(
    _ operands: [[Double]], types: [TensorType], result: TensorType
  ) -> [Double] {
    var gradient = Array(repeating: 0.0, count: result.elementCount)
    geometry.forEachProduct(input: types[0], kernel: result, output: types[1]) { x, k, y in
      gradient[k] += operands[0][x] * operands[1][y]
    }
    return gradient
  }
}
