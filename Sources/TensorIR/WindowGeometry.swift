/// How a pooling window moves over the spatial axes of `[N, S…, C]`.
public struct WindowGeometry: Hashable, Sendable {
  public var window: [Int]
  public var stride: [Int]
  /// Places before each spatial axis that belong to no element.
  public var low: [Int]
  /// Places behind each spatial axis that belong to no element.
  public var high: [Int]

  public init(window: [Int], stride: [Int], low: [Int], high: [Int]) {
    self.window = window
    self.stride = stride
    self.low = low
    self.high = high
  }

  /// The number of spatial axes.
  public var rank: Int { window.count }

  init(_ attributes: Attributes) throws(AttributeMismatch) {
    self.init(
      window: try attributes.integers("window"), stride: try attributes.integers("stride"),
      low: try attributes.integers("low"), high: try attributes.integers("high"))
  }

  var attributes: [Attributes.Entry] {
    [
      .init(name: "window", value: .integers(window)),
      .init(name: "stride", value: .integers(stride)),
      .init(name: "low", value: .integers(low)), .init(name: "high", value: .integers(high)),
    ]
  }

  /// The shape behind the windows; `nil` if a window does not fit or holds padding alone.
  public func output(_ input: [Int]) -> [Int]? {
    let moves = ConvolutionGeometry(
      stride: stride, low: low, high: high, dilation: window.map { _ in 1 })
    guard moves.isSound, input.count == rank + 2,
      let extents = moves.output(input: Array(input[1...rank]), kernel: window),
      window.indices.allSatisfy({ axis in
        low[axis] < window[axis]
          && (extents[axis] - 1) * stride[axis] - low[axis] < input[axis + 1]
      })
    else { return nil }
    return [input[0]] + extents + [input[rank + 1]]
  }

  /// The type behind the windows of `primitive`, made of `element`.
  ///
  /// - Throws: ``TypeMismatch`` unless the operand is one real tensor that a window fits.
  func resultType(
    of primitive: some Primitive, _ operands: [TensorType], _ element: ElementType
  ) throws(TypeMismatch) -> TensorType {
    try primitive.require(operands, .real)
    guard let shape = output(operands[0].shape) else {
      throw primitive.mismatch(operands, "[N, S…, C] that \(self) fits")
    }
    return TensorType(shape, element)
  }

  /// Calls `body` with the offsets of each output and of each element in its window, and with the
  /// element's place in the flattened spatial plane.
  func forEachElement(
    input: [Int], output: [Int], _ body: (_ output: Int, _ input: Int, _ place: Int) -> Void
  ) {
    let strides = TensorType(input).strides
    let planeStrides = TensorType(Array(input[1...rank])).strides
    let offsets = Array(RowMajorPositions(window))
    for (index, position) in RowMajorPositions(output).enumerated() {
      for offset in offsets {
        var base = position[0] * strides[0] + position[rank + 1]
        var place = 0
        var isInside = true
        for axis in 0..<rank {
          let coordinate = position[axis + 1] * stride[axis] + offset[axis] - low[axis]
          isInside = isInside && coordinate >= 0 && coordinate < input[axis + 1]
          base += coordinate * strides[axis + 1]
          place += coordinate * planeStrides[axis]
        }
        if isInside { body(index, base, place) }
      }
    }
  }
}
