internal import COneDNN
internal import TensorIR

/// One of the three products of a convolution, with all of its extents.
struct ConvolutionForm {
  enum Direction { case forward, inputGradient, kernelGradient }

  var direction: Direction
  var shape: leak_convolution_shape

  var kind: leak_convolution_kind {
    switch direction {
    case .forward: leak_forward
    case .inputGradient: leak_input_gradient
    case .kernelGradient: leak_kernel_gradient
    }
  }

  /// The extents are those of the input `[N, S…, C]`, the kernel `[K…, C / groups, O]` and the
  /// output `[N, S′…, O]`, whichever of them is computed.
  init(
    _ direction: Direction, _ geometry: ConvolutionGeometry, input: [Int], kernel: [Int],
    output: [Int]
  ) {
    self.direction = direction
    let rank = geometry.rank
    shape = leak_convolution_shape(
      axes: Int32(rank), batch: Int64(input[0]), inputs: Int64(input[rank + 1]),
      outputs: Int64(output[rank + 1]), groups: Int64(geometry.groups),
      input: triple(input[1...rank]), output: triple(output[1...rank]),
      kernel: triple(kernel[..<rank]), stride: triple(geometry.stride[...]),
      dilation: triple(geometry.dilation[...]), low: triple(geometry.low[...]),
      high: triple(geometry.high[...]))
  }
}

typealias Triple = (Int64, Int64, Int64)

/// Up to three numbers, from the first on; what is missing is 1.
func triple(_ numbers: ArraySlice<Int>) -> Triple {
  let whole = numbers.map(Int64.init) + [1, 1, 1]
  return (whole[0], whole[1], whole[2])
}

/// Up to three numbers, to the last; what is missing in front is `filler`.
func rightAligned(_ numbers: [Int], filler: Int64 = 1) -> Triple {
  let whole = Array(repeating: filler, count: 3 - numbers.count) + numbers.map(Int64.init)
  return (whole[0], whole[1], whole[2])
}
