import TensorIR

/// Products, convolutions and pooling.
enum ContractionCases {
  private static let products: [PrimitiveCase] = {
    let plain: [(String, [Int], [Int], DotGeneral)] = [
      ("matrix", [17, 33], [33, 21], .matrix(leftRank: 2)),
      ("row", [1, 700], [700, 300], .matrix(leftRank: 2)),
      ("narrow row", [1, 700], [700, 10], .matrix(leftRank: 2)),
      (
        "row by transposed", [1, 700], [300, 700],
        DotGeneral(leftContracting: [1], rightContracting: [1])
      ),
      ("column", [300, 700], [700, 1], .matrix(leftRank: 2)),
      (
        "transposed column", [700, 300], [700],
        DotGeneral(leftContracting: [0], rightContracting: [0])
      ),
      ("transposed", [33, 17], [21, 33], DotGeneral(leftContracting: [0], rightContracting: [1])),
      ("outer", [1, 40], [1, 30], DotGeneral(leftContracting: [0], rightContracting: [0])),
      ("inner", [40], [40], DotGeneral(leftContracting: [0], rightContracting: [0])),
      (
        "batched", [5, 7, 9], [5, 9, 4],
        DotGeneral(
          leftBatch: [0], rightBatch: [0], leftContracting: [2], rightContracting: [1])
      ),
      (
        "heads", [2, 7, 3, 8], [2, 6, 3, 8],
        DotGeneral(
          leftBatch: [0, 2], rightBatch: [0, 2], leftContracting: [3], rightContracting: [3])
      ),
      (
        "two axes", [4, 5, 6], [6, 5, 3],
        DotGeneral(leftContracting: [1, 2], rightContracting: [1, 0])
      ),
      ("large", [130, 70], [70, 150], .matrix(leftRank: 2)),
    ]
    return plain.map { note, left, right, dot in
      PrimitiveCase(DotGeneral.self, note, [left, right]) { $0.apply(dot, $1) }
    }
  }()

  /// Input, kernel extents, output channels, stride, low, high, dilation, groups.
  private static let table: [(String, [Int], [Int], Int, ConvolutionGeometry)] = [
    (
      "LeNet", [1, 32, 32, 3], [5, 5], 12,
      ConvolutionGeometry(stride: [2, 2], low: [2, 2], high: [2, 2], dilation: [1, 1])
    ),
    (
      "odd channels", [2, 9, 8, 5], [3, 3], 7,
      ConvolutionGeometry(stride: [2, 1], low: [1, 0], high: [0, 1], dilation: [1, 1])
    ),
    (
      "dilated", [1, 14, 14, 16], [3, 3], 32,
      ConvolutionGeometry(stride: [1, 1], low: [2, 2], high: [2, 2], dilation: [2, 2])
    ),
    (
      "grouped", [2, 8, 8, 12], [3, 3], 6,
      ConvolutionGeometry(
        stride: [1, 1], low: [1, 1], high: [1, 1], dilation: [1, 1], groups: 3)
    ),
    (
      "depthwise", [1, 8, 8, 6], [3, 3], 6,
      ConvolutionGeometry(
        stride: [1, 1], low: [1, 1], high: [1, 1], dilation: [1, 1], groups: 6)
    ),
    (
      "by ones", [1, 7, 7, 32], [1, 1], 16,
      ConvolutionGeometry(stride: [2, 2], low: [0, 0], high: [0, 0], dilation: [1, 1])
    ),
    (
      "rest behind the last window", [1, 8, 8, 4], [3, 3], 4,
      ConvolutionGeometry(stride: [3, 3], low: [0, 0], high: [0, 0], dilation: [1, 1])
    ),
    (
      "more padding than kernel", [1, 4, 4, 2], [2, 2], 3,
      ConvolutionGeometry(stride: [1, 1], low: [3, 3], high: [3, 3], dilation: [1, 1])
    ),
    (
      "one axis", [2, 20, 5], [4], 6,
      ConvolutionGeometry(stride: [2], low: [1], high: [2], dilation: [1])
    ),
    (
      "three axes", [1, 5, 6, 7, 4], [2, 3, 2], 5,
      ConvolutionGeometry(
        stride: [1, 2, 1], low: [1, 1, 0], high: [0, 1, 1], dilation: [1, 1, 1])
    ),
  ]

  private static let convolutions: [PrimitiveCase] = table.flatMap { row -> [PrimitiveCase] in
    let (note, input, kernelExtents, outputs, geometry) = row
    let rank = geometry.rank
    let kernel = kernelExtents + [input[rank + 1] / geometry.groups, outputs]
    guard
      let extents = geometry.output(input: Array(input[1...rank]), kernel: kernelExtents)
    else { return [] }
    let output = [input[0]] + extents + [outputs]
    return [
      PrimitiveCase(Convolution.self, note, [input, kernel]) {
        $0.apply(Convolution(geometry), $1)
      },
      PrimitiveCase(ConvolutionInputTranspose.self, note, [output, kernel]) {
        $0.apply(ConvolutionInputTranspose(geometry, input: Array(input[1...rank])), $1)
      },
      PrimitiveCase(ConvolutionKernelTranspose.self, note, [input, output]) {
        $0.apply(ConvolutionKernelTranspose(geometry, kernel: kernelExtents), $1)
      },
    ]
  }

  private static let pooling: [PrimitiveCase] = {
    let geometry = WindowGeometry(window: [3, 2], stride: [2, 2], low: [1, 0], high: [1, 1])
    let (input, output) = ([2, 7, 8, 19], [2, 4, 4, 19])
    let line = WindowGeometry(window: [3], stride: [1], low: [0], high: [0])
    return [
      PrimitiveCase(ReduceWindow.self, "", [input]) { $0.apply(ReduceWindow(geometry), $1) },
      PrimitiveCase(ReduceWindow.self, "one axis", [[1, 9, 2]]) {
        $0.apply(ReduceWindow(line), $1)
      },
      PrimitiveCase(ReduceWindowTranspose.self, "", [output]) {
        $0.apply(ReduceWindowTranspose(geometry, input: [7, 8]), $1)
      },
      PrimitiveCase(WindowArgmax.self, "", [input]) { graph, x in
        graph.apply(Convert(to: .real), graph.apply(WindowArgmax(geometry), x[0]))
      },
      PrimitiveCase(WindowGather.self, "", [input]) { graph, x in
        graph.apply(WindowGather(), x[0], graph.apply(WindowArgmax(geometry), x[0]))
      },
      PrimitiveCase(WindowScatter.self, "", [input, output]) { graph, x in
        graph.apply(
          WindowScatter(plane: [7, 8]), x[1], graph.apply(WindowArgmax(geometry), x[0]))
      },
    ]
  }()

  static let all = products + convolutions + pooling
}
