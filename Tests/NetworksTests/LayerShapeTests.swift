import Networks
import Testing

/// A layer, the shape that enters, and the shape that leaves; `nil` if it cannot enter.
private struct ShapeCase: Sendable, CustomTestStringConvertible {
  let layer: any Layer
  let input: Shape
  let output: Shape?

  init(_ layer: any Layer, _ input: Shape, _ output: Shape?) {
    (self.layer, self.input, self.output) = (layer, input, output)
  }

  var testDescription: String { "\(layer) on \(input.text)" }
}

@Suite("Layer shapes")
struct LayerShapeTests {
  /// Keras documents `(n − d(k − 1) − 1) / s + 1` rounded down for valid padding, `n / s` rounded up
  /// for same and causal, `n·s` for a transposed layer with same padding and
  /// `n·s + max(k − s, 0)` with valid padding; an even window takes part like an odd one.
  private static let convolutions: [ShapeCase] = [
    .init(conv(6, [5, 5]), [28, 28, 1], [24, 24, 6]),
    .init(conv(6, [5, 5], padding: .same), [28, 28, 1], [28, 28, 6]),
    .init(conv(8, [3, 3], stride: [2, 2]), [32, 33, 3], [15, 16, 8]),
    .init(conv(8, [3, 3], stride: [2, 2], padding: .same), [33, 32, 3], [17, 16, 8]),
    .init(conv(4, [3], dilation: [4]), [20, 2], [12, 4]),
    .init(conv(4, [3], dilation: [4], padding: .causal), [20, 2], [20, 4]),
    .init(conv(4, [3, 3], padding: .explicit([1, 1])), [8, 8, 2], [8, 8, 4]),
    .init(
      conv(4, [7, 7], stride: [2, 2], padding: .explicit([3, 3])), [64, 64, 3], [32, 32, 4]),
    .init(conv(4, [3, 3, 3]), [5, 6, 7, 2], [3, 4, 5, 4]),
    .init(conv(4, [3, 3], channelsFirst: true), [2, 9, 8], [4, 7, 6]),
    .init(conv(4, [3, 3]), [nil, 9, 2], [nil, 7, 4]),
    .init(conv(4, [3], groups: 2), [9, 4], [7, 4]),
    .init(conv(4, [3], groups: 3), [9, 4], nil), .init(conv(4, [3], groups: 0), [9, 4], nil),
    .init(conv(4, [3]), [2, 1], nil), .init(conv(4, [3]), [3, 1], [1, 4]),
    .init(conv(4, [3], stride: [2], padding: .explicit([0])), [2, 1], nil),
    .init(conv(4, [3, 3]), [9, 9], nil), .init(conv(4, [3]), [], nil),
    .init(conv(4, [3], stride: [1, 1]), [9, 1], nil),
    .init(conv(2, [3, 3], variant: .depthwise), [9, 9, 5], [7, 7, 10]),
    .init(conv(2, [3, 3], variant: .depthwise), [9, 9, nil], [7, 7, nil]),
    .init(conv(6, [3, 3], variant: .separable), [9, 9, 5], [7, 7, 6]),
    .init(conv(3, [3, 3], variant: .transposed, stride: [2, 2]), [4, 5, 8], [9, 11, 3]),
    .init(
      conv(3, [3, 3], variant: .transposed, stride: [2, 2], padding: .same), [4, 5, 8],
      [8, 10, 3]),
    .init(conv(3, [1, 1], variant: .transposed, stride: [2, 2]), [4, 5, 8], [8, 10, 3]),
  ]

  private static let others: [ShapeCase] = [
    .init(Dense(outputs: 10), [784], [10]), .init(Dense(outputs: 10), [7, 5], [7, 10]),
    .init(Dense(outputs: 10), [nil], [10]), .init(Dense(outputs: 10), [], nil),
    .init(Dense(outputs: 10, inputs: 50), [49], nil),
    .init(Dense(outputs: 10, inputs: 50), [nil], [10]),
    .init(Flatten(), [28, 28, 1], [784]), .init(Flatten(), [nil, 3], [nil]),
    .init(Flatten(), [], [1]), .init(Flatten(), [.max, 2], [nil]),
    .init(Reshape(target: [7, 7, 16]), [784], [7, 7, 16]),
    .init(Reshape(target: [nil, 16]), [784], [49, 16]),
    .init(Reshape(target: [nil, 15]), [784], nil), .init(Reshape(target: [783]), [784], nil),
    .init(Reshape(target: [nil, nil]), [784], nil), .init(Reshape(target: [0, nil]), [784], nil),
    .init(Reshape(target: [4]), [nil], [4]),
    .init(Pooling(.maximum, window: [2, 2]), [24, 24, 6], [12, 12, 6]),
    .init(Pooling(.maximum, window: [2, 2]), [25, 24, 6], [12, 12, 6]),
    .init(Pooling(.maximum, window: [3, 3], stride: [2, 2]), [8, 9, 6], [3, 4, 6]),
    .init(Pooling(.average, window: [2], padding: .same), [25, 6], [13, 6]),
    .init(Pooling(.average, window: [2], channelsFirst: true), [6, 25], [6, 12]),
    .init(Pooling(.average, window: [2]), [nil, 6], [nil, 6]),
    .init(Pooling(.average), [7, 7, 64], [64]),
    .init(Pooling(.average, channelsFirst: true), [64, 7, 7], [64]),
    .init(Pooling(.average), [64], nil), .init(Pooling(.maximum, window: [2]), [7, 7, 64], nil),
    .init(Pooling(.maximum, window: [2]), [1, 6], nil),
    .init(Pooling(.maximum, window: [4]), [2, 6], nil),
    .init(Embedding(tokens: 100, width: 8), [12], [12, 8]),
    .init(Recurrent(.lstm, units: 5), [9, 3], [5]),
    .init(Recurrent(.lstm, units: 5, returnsSequences: true), [nil, 3], [nil, 5]),
    .init(Recurrent(.lstm, units: 5), [9], nil),
    .init(Resampling(.permute([1, 0])), [2, 3], [3, 2]),
    .init(Resampling(.crop(low: [1], high: [1])), [2, 3], nil),
    .init(Activation(.relu), [3, nil], [3, nil]), .init(Dropout(rate: 0.5), [3], [3]),
    .init(BatchNormalization(), [3, 4], [3, 4]), .init(Rescaling(scale: 2, offset: 0), [3], [3]),
    .init(CustomLayer(className: "Gate", carriesCode: false), [3], [3]),
    .init(Normalization(.layer(axes: [-1])), [3], [3]),
  ]

  @Test("a layer gives the shape its framework documents", arguments: convolutions + others)
  private func shapes(subject: ShapeCase) throws {
    if let output = subject.output {
      #expect(try subject.layer.outputShape(for: subject.input) == output)
    } else {
      let mismatch = #expect(throws: ShapeMismatch.self) {
        try subject.layer.outputShape(for: subject.input)
      }
      #expect(mismatch?.found == subject.input)
      #expect(mismatch?.description.contains("shape \(subject.input.text) arrives") == true)
    }
  }

  @Test("a shape's text and element count say what is open")
  func text() {
    #expect(([28, nil, 1] as Shape).text == "28×?×1" && ([] as Shape).text == "scalar")
    #expect(([28, nil] as Shape).elementCount == nil && ([4, 5] as Shape).elementCount == 20)
    #expect(([] as Shape).elementCount == 1 && ([.max, 4] as Shape).elementCount == nil)
  }
}

private func conv(
  _ filters: Int, _ kernel: [Int], variant: Convolution.Variant = .plain, stride: [Int]? = nil,
  dilation: [Int]? = nil, padding: Convolution.Padding = .valid, groups: Int = 1,
  channelsFirst: Bool = false
) -> Convolution {
  Convolution(
    variant: variant, filters: filters, kernel: kernel, stride: stride, dilation: dilation,
    padding: padding, groups: groups, channelsFirst: channelsFirst)
}
