import TensorIR
import Testing

/// A primitive with the types and ranges of its operands: one row of the derivative tests.
struct PrimitiveCase: Sendable, CustomTestStringConvertible {
  let primitive: any Primitive
  let operands: [Operand]
  /// The largest difference from central differences, relative to the largest element.
  ///
  /// They are taken at 1e-5, so their own error is about 1e-10 of the third derivative.
  var tolerance = 1e-7

  struct Operand: Sendable {
    let type: TensorType
    /// Where elements are drawn from; indices are whole numbers below its end.
    var range = -1.0..<1.0
  }

  init(_ primitive: some Primitive, _ operands: Operand..., tolerance: Double = 1e-7) {
    self.primitive = primitive
    self.operands = operands
    self.tolerance = tolerance
  }

  var testDescription: String {
    let attributes = primitive.attributes.entries.map { "\($0.name) \($0.value)" }
    return "\(primitive.mnemonic) \(operands.map(\.type)) \(attributes)"
  }

  /// Which operands can move.
  var moving: [Int] { operands.indices.filter { operands[$0].type.element == .real } }
}

/// A real operand.
private func real(_ shape: Int..., in range: Range<Double> = -1..<1) -> PrimitiveCase.Operand {
  PrimitiveCase.Operand(type: TensorType(shape), range: range)
}

/// Indices below `count`; more elements than `count` means that some repeat.
private func indices(_ shape: Int..., below count: Int) -> PrimitiveCase.Operand {
  PrimitiveCase.Operand(type: TensorType(shape, .index), range: 0..<Double(count))
}

private func truths(_ shape: Int...) -> PrimitiveCase.Operand {
  PrimitiveCase.Operand(type: TensorType(shape, .boolean), range: 0..<2)
}

extension PrimitiveCase {
  /// Primitives with a derivative.
  static let differentiable = elementwise + structural + products + convolutions + windows
  /// Primitives whose derivative is zero by definition or almost everywhere.
  static let constant: [PrimitiveCase] =
    Compare.Direction.allCases.map { PrimitiveCase(Compare($0), real(2, 3), real(2, 3)) } + [
      PrimitiveCase(Convert(to: .real), truths(5)),
      PrimitiveCase(Convert(to: .real), indices(2, 3, below: 7)),
      PrimitiveCase(Convert(to: .index), truths(5)),
      PrimitiveCase(Iota(shape: [2, 3], axis: 1)),
      PrimitiveCase(OffsetRows(rows: 4), indices(3, 2, below: 4)),
      PrimitiveCase(Sign(), real(2, 3)),
      PrimitiveCase(StopGradient(), real(2, 3)),
      PrimitiveCase(WindowArgmax(pooled2D), real(2, 5, 6, 3)),
      PrimitiveCase(WindowArgmax(pooled1D), real(2, 7, 3)),
    ]
  static let all = differentiable + constant

  private static let elementwise: [PrimitiveCase] = [
    PrimitiveCase(Abs(), real(2, 3)),
    PrimitiveCase(Add(), real(2, 3), real(2, 3)),
    PrimitiveCase(Divide(), real(2, 3), real(2, 3, in: 0.5..<2)),
    PrimitiveCase(Divide(), real(2, 3), real(2, 3, in: -2 ..< -0.5)),
    PrimitiveCase(Erf(), real(2, 3, in: -2..<2)),
    PrimitiveCase(Exponential(), real(2, 3, in: -2..<2)),
    PrimitiveCase(ExponentialMinusOne(), real(2, 3)),
    PrimitiveCase(Log(), real(2, 3, in: 0.3..<3)),
    PrimitiveCase(LogPlusOne(), real(2, 3, in: -0.5..<3)),
    PrimitiveCase(Logistic(), real(2, 3, in: -4..<4)),
    PrimitiveCase(Maximum(), real(3, 4), real(3, 4)),
    PrimitiveCase(Minimum(), real(3, 4), real(3, 4)),
    PrimitiveCase(Multiply(), real(2, 3), real(2, 3)),
    PrimitiveCase(Multiply(), real(), real()),
    PrimitiveCase(Negate(), real(2, 3)),
    PrimitiveCase(Rsqrt(), real(2, 3, in: 0.3..<3)),
    PrimitiveCase(Select(), truths(3, 4), real(3, 4), real(3, 4)),
    PrimitiveCase(Sqrt(), real(2, 3, in: 0.3..<3)),
    PrimitiveCase(Subtract(), real(2, 3), real(2, 3)),
    PrimitiveCase(Tanh(), real(2, 3, in: -2..<2)),
  ]

  private static let structural: [PrimitiveCase] = [
    PrimitiveCase(BroadcastInDim(shape: [2, 4, 3], axes: [0, 2]), real(2, 3)),
    PrimitiveCase(BroadcastInDim(shape: [2, 4], axes: []), real()),
    PrimitiveCase(Concatenate(axis: 1), real(2, 1, 2), real(2, 3, 2), real(2, 2, 2)),
    PrimitiveCase(Concatenate(axis: 0), real(2), real(3)),
    PrimitiveCase(Gather(), real(4, 3), indices(2, 5, below: 4)),
    PrimitiveCase(Gather(), real(4), indices(below: 4)),
    PrimitiveCase(Pad(low: [1, 0], high: [0, 2], interior: [2, 1]), real(2, 3)),
    PrimitiveCase(Pad(low: [3], high: [1]), real(4)),
    PrimitiveCase(Reduce(.sum, axes: [0, 2]), real(2, 3, 4)),
    PrimitiveCase(Reduce(.sum, axes: [1]), real(2, 3, 4)),
    PrimitiveCase(Reduce(.maximum, axes: [0, 2]), real(2, 3, 4)),
    PrimitiveCase(Reduce(.maximum, axes: [0]), real(7)),
    PrimitiveCase(Reshape(to: [3, 1, 4]), real(2, 6)),
    PrimitiveCase(Reshape(to: []), real(1, 1)),
    PrimitiveCase(Scatter(rows: 4), real(2, 5, 3), indices(2, 5, below: 4)),
    PrimitiveCase(Scatter(rows: 6), real(3), indices(3, below: 6)),
    PrimitiveCase(
      Slice(starts: [1, 0, 2], limits: [4, 3, 7], strides: [2, 1, 3]), real(5, 3, 8)),
    PrimitiveCase(Slice(starts: [2], limits: [6]), real(6)),
    PrimitiveCase(Transpose([2, 0, 1]), real(2, 3, 4)),
    PrimitiveCase(Transpose([3, 1, 0, 2]), real(2, 1, 3, 2)),
  ]

  private static let products: [PrimitiveCase] = [
    PrimitiveCase(DotGeneral.matrix(leftRank: 2), real(2, 3), real(3, 4)),
    PrimitiveCase(DotGeneral.matrix(leftRank: 3), real(2, 2, 3), real(3, 4)),
    PrimitiveCase(
      DotGeneral(leftContracting: [0], rightContracting: [1]), real(3, 2), real(4, 3)),
    PrimitiveCase(DotGeneral(leftContracting: [], rightContracting: []), real(2, 3), real(4)),
    PrimitiveCase(
      DotGeneral(leftContracting: [0, 1], rightContracting: [0, 1]), real(2, 3), real(2, 3)),
    // Contracted axes in an order that neither operand has.
    PrimitiveCase(
      DotGeneral(leftContracting: [3, 0, 1], rightContracting: [1, 3, 0]),
      real(2, 3, 5, 4), real(3, 4, 6, 2)),
    // Two batch axes, crossed, between free and contracted ones.
    PrimitiveCase(
      DotGeneral(
        leftBatch: [3, 1], rightBatch: [0, 4], leftContracting: [4, 0], rightContracting: [3, 1]),
      real(2, 3, 2, 4, 5), real(4, 2, 6, 5, 3)),
    PrimitiveCase(
      DotGeneral(leftBatch: [1], rightBatch: [2], leftContracting: [], rightContracting: []),
      real(2, 3), real(2, 4, 3)),
    PrimitiveCase(
      DotGeneral(
        leftBatch: [0, 1], rightBatch: [1, 0], leftContracting: [], rightContracting: []),
      real(2, 3), real(3, 2)),
  ]

  static let pooled1D = WindowGeometry(window: [3], stride: [2], low: [1], high: [1])
  static let pooled2D = WindowGeometry(
    window: [3, 2], stride: [2, 3], low: [2, 0], high: [1, 1])
  static let pooled3D = WindowGeometry(
    window: [2, 1, 2], stride: [1, 2, 2], low: [0, 0, 1], high: [1, 0, 0])

  private static let windows: [PrimitiveCase] = [
    PrimitiveCase(ReduceWindow(pooled1D), real(2, 7, 3)),
    PrimitiveCase(ReduceWindow(pooled2D), real(2, 5, 6, 3)),
    PrimitiveCase(ReduceWindow(pooled3D), real(1, 3, 3, 4, 2)),
    PrimitiveCase(ReduceWindowTranspose(pooled1D, input: [7]), real(2, 4, 3)),
    PrimitiveCase(ReduceWindowTranspose(pooled2D, input: [5, 6]), real(2, 3, 2, 3)),
    PrimitiveCase(ReduceWindowTranspose(pooled3D, input: [3, 3, 4]), real(1, 3, 2, 2, 2)),
    PrimitiveCase(WindowGather(), real(2, 3, 4, 2), indices(2, 2, 5, 2, below: 12)),
    PrimitiveCase(WindowGather(), real(2, 5, 3), indices(2, 8, 3, below: 5)),
    PrimitiveCase(
      WindowScatter(plane: [3, 4]), real(2, 2, 5, 2), indices(2, 2, 5, 2, below: 12)),
    PrimitiveCase(WindowScatter(plane: [5]), real(2, 8, 3), indices(2, 8, 3, below: 5)),
  ]

  /// A geometry with the shapes of the input, the kernel and the output that it relates.
  typealias Convolved = (
    geometry: ConvolutionGeometry, input: [Int], kernel: [Int], output: [Int]
  )

  static let convolved: [Convolved] = [
    (
      ConvolutionGeometry(stride: [1], low: [0], high: [0], dilation: [1]),
      [2, 5, 3], [3, 3, 2], [2, 3, 2]
    ),
    // A stride that leaves a remainder, padding on one side, gaps in the kernel.
    (
      ConvolutionGeometry(stride: [3], low: [2], high: [0], dilation: [2]),
      [1, 9, 2], [3, 2, 3], [1, 3, 3]
    ),
    (
      ConvolutionGeometry(stride: [2, 2], low: [1, 1], high: [1, 1], dilation: [1, 1]),
      [2, 6, 5, 2], [3, 3, 2, 3], [2, 3, 3, 3]
    ),
    (
      ConvolutionGeometry(
        stride: [2, 3], low: [0, 3], high: [2, 1], dilation: [2, 1], groups: 2),
      [2, 7, 8, 4], [3, 2, 2, 6], [2, 3, 4, 6]
    ),
    // Depthwise, with more than one output per channel.
    (
      ConvolutionGeometry(
        stride: [1, 1], low: [1, 0], high: [0, 1], dilation: [1, 1], groups: 3),
      [1, 3, 4, 3], [2, 2, 1, 6], [1, 3, 4, 6]
    ),
    // A kernel of one place whose stride passes elements by.
    (
      ConvolutionGeometry(stride: [2, 2], low: [0, 0], high: [0, 0], dilation: [1, 1]),
      [2, 4, 6, 3], [1, 1, 3, 2], [2, 2, 3, 2]
    ),
    (
      ConvolutionGeometry(
        stride: [1, 2, 2], low: [1, 0, 1], high: [0, 1, 0], dilation: [1, 2, 1], groups: 2),
      [1, 3, 4, 5, 2], [2, 2, 3, 1, 4], [1, 3, 2, 2, 4]
    ),
  ]

  private static let convolutions: [PrimitiveCase] = convolved.flatMap { geometry, x, k, y in
    let (input, kernel, output) = (
      Operand(type: TensorType(x)), Operand(type: TensorType(k)), Operand(type: TensorType(y))
    )
    let extents = Array(x[1...geometry.rank])
    let taps = Array(k[..<geometry.rank])
    return [
      PrimitiveCase(Convolution(geometry), input, kernel),
      PrimitiveCase(ConvolutionInputTranspose(geometry, input: extents), output, kernel),
      PrimitiveCase(ConvolutionKernelTranspose(geometry, kernel: taps), input, output),
    ]
  }
}
