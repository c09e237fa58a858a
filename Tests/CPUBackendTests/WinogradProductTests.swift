import COneDNN
import CPUBackend
import TensorIR
import Testing

/// A 3 × 3 convolution of stride 1 with numbers for its three tensors.
private struct Case: CustomTestStringConvertible, Sendable {
  var batch: Int
  var input: (Int, Int)
  var channels: (Int, Int)
  var low = (1, 1)
  var high = (1, 1)

  var output: (Int, Int) { (input.0 + low.0 + high.0 - 2, input.1 + low.1 + high.1 - 2) }

  var testDescription: String {
    "\(batch) × \(input) × \(channels), padding \(low) and \(high)"
  }

  var shape: leak_convolution_shape {
    leak_convolution_shape(
      axes: 2, batch: Int64(batch), inputs: Int64(channels.0), outputs: Int64(channels.1),
      groups: 1, input: (Int64(input.0), Int64(input.1), 1),
      output: (Int64(output.0), Int64(output.1), 1), kernel: (3, 3, 1), stride: (1, 1, 1),
      dilation: (1, 1, 1), low: (Int64(low.0), Int64(low.1), 0),
      high: (Int64(high.0), Int64(high.1), 0))
  }

  /// Input, kernel and output.
  var tensors: [[Double]] {
    var numbers = Numbers(23)
    return [
      numbers.uniform(batch * input.0 * input.1 * channels.0),
      numbers.uniform(9 * channels.0 * channels.1),
      numbers.uniform(batch * output.0 * output.1 * channels.1),
    ]
  }

  /// What a direction computes in Float by Winograd's transforms.
  func winograd(_ kind: leak_convolution_kind, threads: Int) -> [Double] {
    var shape = shape
    var (input, kernel, output) = (
      tensors[0].map(Float.init), tensors[1].map(Float.init), tensors[2].map(Float.init)
    )
    // Not a number wherever nothing is written.
    switch kind {
    case leak_input_gradient: input = input.map { _ in .nan }
    case leak_kernel_gradient: kernel = kernel.map { _ in .nan }
    default: output = output.map { _ in .nan }
    }
    // Safe: the arrays have the extents of the shape, and scratch is as large as asked for.
    let bytes = unsafe leak_winograd_scratch(&shape, kind)
    var scratch = Array(repeating: Float.nan, count: bytes / 4)
    leak_set_threads(Int32(threads))
    unsafe leak_winograd_run(&shape, kind, &input, &kernel, &output, Int32(threads), &scratch)
    switch kind {
    case leak_input_gradient: return input.map(Double.init)
    case leak_kernel_gradient: return kernel.map(Double.init)
    default: return output.map(Double.init)
    }
  }

  /// The same in Double by products over windows.
  func direct(_ kind: leak_convolution_kind) -> [Double] {
    var shape = shape
    var tensors = tensors
    var (input, kernel, output) = (tensors.removeFirst(), tensors.removeFirst(), tensors[0])
    // Safe: the arrays have the extents of the shape, and scratch is as large as asked for.
    let bytes = unsafe leak_window_convolution_scratch(&shape, kind, 1, 1)
    var scratch = Array(repeating: 0.0, count: bytes / 8)
    unsafe leak_window_convolution_run(
      &shape, kind, 1, &input, &kernel, &output, 1, &scratch)
    return kind == leak_input_gradient ? input : kind == leak_kernel_gradient ? kernel : output
  }

  /// What a program computes in Float.
  func program(_ kind: leak_convolution_kind) throws -> [Double] {
    let geometry = ConvolutionGeometry(
      stride: [1, 1], low: [low.0, low.1], high: [high.0, high.1], dilation: [1, 1])
    var graph = Graph()
    let inputType = TensorType([batch, input.0, input.1, channels.0])
    let kernelType = TensorType([3, 3, channels.0, channels.1])
    let outputType = TensorType([batch, output.0, output.1, channels.1])
    let types = [inputType, kernelType, outputType]
    let written = kind == leak_input_gradient ? 0 : kind == leak_kernel_gradient ? 1 : 2
    let read = (0..<3).filter { $0 != written }
    let operands = read.map { graph.input("\($0)", types[$0]) }
    let result =
      switch kind {
      case leak_input_gradient:
        graph.apply(
          ConvolutionInputTranspose(geometry, input: [input.0, input.1]), operands[1], operands[0])
      case leak_kernel_gradient:
        graph.apply(
          ConvolutionKernelTranspose(geometry, kernel: [3, 3]), operands[0], operands[1])
      default: graph.apply(Convolution(geometry), operands[0], operands[1])
      }
    graph.output("result", result)
    let program = try CPUBackend(threads: 2).compile(graph, in: .single)
    let tensors = tensors
    for place in read { program.bind(tensors[place], to: "\(place)") }
    try program.run()
    return program.elements(of: "result")
  }
}

private let kinds = [leak_forward, leak_input_gradient, leak_kernel_gradient]

@Suite("Winograd's transforms as products")
struct WinogradProductTests {
  private static let cases = [
    Case(batch: 1, input: (4, 4), channels: (16, 16)),
    Case(batch: 2, input: (9, 11), channels: (25, 27)),
    Case(batch: 1, input: (7, 6), channels: (16, 24), low: (0, 0), high: (0, 0)),
    Case(batch: 3, input: (10, 5), channels: (17, 18), low: (2, 0), high: (1, 2)),
    Case(batch: 2, input: (13, 14), channels: (20, 33), low: (0, 1), high: (3, 0)),
    Case(batch: 1, input: (5, 3), channels: (31, 16), low: (4, 5), high: (0, 1)),
    // More tiles than one block holds, the last block shorter.
    Case(batch: 5, input: (22, 21), channels: (16, 19)),
    Case(batch: 1, input: (12, 12), channels: (64, 80)),
  ]

  /// Sums in Float are off by up to 2e-6 of the largest element here, direct ones by up to 5e-7.
  @Test(
    "every direction is near the direct sums in Double, and equal whenever it runs",
    arguments: cases)
  fileprivate func agreement(_ example: Case) {
    for kind in kinds {
      let expected = example.direct(kind)
      // With five, threads share the columns of a product too.
      for threads in [1, 2, 5] {
        let found = example.winograd(kind, threads: threads)
        let note = "direction \(kind.rawValue) on \(threads) threads"
        #expect(distance(found, expected) <= 5e-6, "\(note)")
        let isEqual = found == example.winograd(kind, threads: threads)
        #expect(isEqual, "\(note) differs again")
      }
    }
  }

  @Test(
    "a program takes the transforms where they pay and nowhere else",
    .enabled(if: !leak_has_avx512()),
    arguments: [
      (Case(batch: 1, input: (28, 28), channels: (32, 48)), true),
      (Case(batch: 8, input: (10, 10), channels: (40, 40)), true),
      (Case(batch: 1, input: (30, 30), channels: (33, 64), low: (0, 0), high: (0, 0)), true),
      // Few tiles, tiles that are half empty, few channels.
      (Case(batch: 1, input: (24, 24), channels: (64, 64)), false),
      (Case(batch: 32, input: (6, 6), channels: (64, 64)), false),
      (Case(batch: 1, input: (32, 32), channels: (16, 64)), false),
    ])
  fileprivate func choice(_ example: Case, isChosen: Bool) throws {
    for kind in kinds {
      let isEqual = try example.program(kind) == example.winograd(kind, threads: 2)
      #expect(isEqual == isChosen, "direction \(kind.rawValue)")
    }
  }

  @Test("only dense 3 × 3 convolutions over two axes with enough channels fit")
  func fit() {
    let changes: [(change: (inout leak_convolution_shape) -> Void, isFit: Bool)] = [
      ({ $0.stride.1 = 2 }, false), ({ $0.dilation.0 = 2 }, false), ({ $0.kernel.0 = 5 }, false),
      ({ $0.groups = 2 }, false), ({ $0.axes = 1 }, false), ({ $0.inputs = 15 }, false),
      ({ $0.outputs = 16 }, true),
    ]
    for (place, (change, isFit)) in changes.enumerated() {
      var shape = Case(batch: 1, input: (8, 8), channels: (32, 32)).shape
      change(&shape)
      // Safe: the call reads the shape only.
      #expect(unsafe leak_winograd_fits(&shape) == isFit, "change \(place)")
    }
  }
}
