import COneDNN
import Testing

/// A convolution with numbers for its three tensors.
private struct Case: CustomTestStringConvertible, Sendable {
  var batch = 1
  var input: [Int]
  var channels: (Int, Int)
  var kernel: [Int]
  var stride: [Int]
  var low: [Int]
  var high: [Int]

  /// The extents of the output.
  var output: [Int] {
    input.indices.map { (input[$0] + low[$0] + high[$0] - kernel[$0]) / stride[$0] + 1 }
  }

  var testDescription: String {
    "\(batch) × \(input) × \(channels), kernel \(kernel), stride \(stride), padding \(low), \(high)"
  }

  var shape: leak_convolution_shape {
    func triple(_ numbers: [Int]) -> (Int64, Int64, Int64) {
      let whole = numbers.map(Int64.init) + [1, 1, 1]
      return (whole[0], whole[1], whole[2])
    }
    return leak_convolution_shape(
      axes: Int32(input.count), batch: Int64(batch), inputs: Int64(channels.0),
      outputs: Int64(channels.1), groups: 1, input: triple(input), output: triple(output),
      kernel: triple(kernel), stride: triple(stride), dilation: (1, 1, 1), low: triple(low),
      high: triple(high))
  }

  /// Elements of input, kernel and output.
  var counts: [Int] {
    [
      batch * input.reduce(1, *) * channels.0, kernel.reduce(1, *) * channels.0 * channels.1,
      batch * output.reduce(1, *) * channels.1,
    ]
  }
}

private let kinds = [leak_forward, leak_input_gradient, leak_kernel_gradient]

private protocol Precision: BinaryFloatingPoint, BitwiseCopyable {
  static var isDouble: Int32 { get }
}
extension Float: Precision { fileprivate static var isDouble: Int32 { 0 } }
extension Double: Precision { fileprivate static var isDouble: Int32 { 1 } }

@Suite("Convolutions without a matrix of windows")
struct DirectConvolutionTests {
  private static let cases = [
    Case(
      input: [32, 32], channels: (3, 12), kernel: [5, 5], stride: [2, 2], low: [2, 2],
      high: [2, 2]),
    Case(
      batch: 2, input: [8, 8], channels: (12, 12), kernel: [5, 5], stride: [1, 1], low: [2, 2],
      high: [2, 2]),
    Case(
      batch: 3, input: [9, 14], channels: (5, 21), kernel: [4, 3], stride: [3, 2], low: [0, 1],
      high: [2, 0]),
    Case(
      input: [7, 6], channels: (1, 1), kernel: [1, 1], stride: [2, 2], low: [0, 0], high: [0, 0]),
    // The stride jumps over pixels, the last of which no window reads.
    Case(
      batch: 2, input: [11, 10], channels: (9, 17), kernel: [2, 2], stride: [3, 4], low: [0, 0],
      high: [0, 0]),
    // More padding than kernel: outputs, and lines of cotangents, that see nothing of the image.
    Case(
      input: [5, 3], channels: (8, 16), kernel: [3, 2], stride: [1, 1], low: [4, 3], high: [0, 5]),
    Case(input: [40], channels: (6, 10), kernel: [7], stride: [3], low: [3], high: [1]),
    // More lines than are done at once.
    Case(
      batch: 2, input: [70, 66], channels: (20, 9), kernel: [3, 3], stride: [1, 1], low: [1, 1],
      high: [1, 1]),
  ]

  /// What the written tensor holds.
  private func run<Number: Precision>(
    _ sample: Case, _ kind: leak_convolution_kind, threads: Int32, isDirect: Bool,
    in _: Number.Type
  ) -> [Number] {
    var numbers = Numbers(41)
    var tensors = sample.counts.map { numbers.uniform($0).map { Number($0) } }
    let written = kind == leak_input_gradient ? 0 : kind == leak_kernel_gradient ? 1 : 2
    // Not a number wherever nothing is written.
    tensors[written] = tensors[written].map { _ in .nan }
    var (shape, input, kernel, output) = (sample.shape, tensors[0], tensors[1], tensors[2])
    leak_set_threads(threads)
    // Safe: the arrays have the extents of the shape, and scratch is as large as asked for.
    if isDirect {
      let bytes = unsafe leak_direct_convolution_scratch(&shape, kind, Number.isDouble, threads)
      var scratch = Array(repeating: Double.nan, count: bytes / 8 + 1)
      unsafe leak_direct_convolution_run(
        &shape, kind, Number.isDouble, &input, &kernel, &output, threads, &scratch)
    } else {
      let bytes = unsafe leak_window_convolution_scratch(&shape, kind, Number.isDouble, threads)
      var scratch = Array(repeating: Double.nan, count: bytes / 8 + 1)
      unsafe leak_window_convolution_run(
        &shape, kind, Number.isDouble, &input, &kernel, &output, threads, &scratch)
    }
    return [input, kernel, output][written]
  }

  @Test("every direction agrees with products over windows in Double", arguments: cases)
  fileprivate func agreement(_ example: Case) {
    for kind in kinds {
      let expected = run(example, kind, threads: 1, isDirect: false, in: Double.self)
      let double = run(example, kind, threads: 1, isDirect: true, in: Double.self)
      let single = run(example, kind, threads: 1, isDirect: true, in: Float.self)
      #expect(distance(double, expected) <= 1e-14, "direction \(kind.rawValue) in Double")
      #expect(
        distance(single.map(Double.init), expected) <= 2e-6, "direction \(kind.rawValue) in Float")
    }
  }

  @Test("the number of threads changes no bit", arguments: cases)
  fileprivate func threads(_ example: Case) {
    for kind in kinds {
      let one = run(example, kind, threads: 1, isDirect: true, in: Float.self)
      for threads in [2, 5] as [Int32] {
        let isEqual = run(example, kind, threads: threads, isDirect: true, in: Float.self) == one
        #expect(isEqual, "direction \(kind.rawValue) on \(threads) threads")
      }
    }
  }
}
