public import TensorIR

extension Graph {
  /// The multiply-adds of all products of tensors and convolutions in the graph.
  ///
  /// Products with padding count, as is usual; element-wise work does not. A forward pass of
  /// `m` multiply-adds is said to take `2m` FLOP.
  public var multiplyAdds: Int {
    nodes.reduce(0) { sum, node in
      guard case .primitive(let primitive, let operands) = node.origin else { return sum }
      return sum + multiplyAdds(of: primitive, operands.map(\.type), result: node.type)
    }
  }

  private func multiplyAdds(
    of primitive: any Primitive, _ operands: [TensorType], result: TensorType
  ) -> Int {
    switch primitive {
    case let product as DotGeneral:
      result.elementCount
        * product.leftContracting.reduce(1) { $0 * operands[0].shape[$1] }
    case is TensorIR.Convolution: Self.products(kernel: operands[1], output: result)
    case is ConvolutionInputTranspose: Self.products(kernel: operands[1], output: operands[0])
    case is ConvolutionKernelTranspose: Self.products(kernel: result, output: operands[1])
    default: 0
    }
  }

  /// Every element of the output is a sum over the kernel's taps and input channels.
  private static func products(kernel: TensorType, output: TensorType) -> Int {
    output.elementCount * kernel.shape.dropLast().reduce(1, *)
  }
}
