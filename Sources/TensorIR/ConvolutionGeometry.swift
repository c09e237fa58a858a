/// How a kernel moves over the spatial axes: what the three convolution primitives share.
///
/// With `x: [N, S…, C]`, `k: [K…, C / groups, O]` and `y: [N, S′…, O]`,
///
///     y[n, p, o] = Σ x[n, stride·p + dilation·t − low, c] · k[t, c′, o]
///
/// over taps `t` and the channels `c` of the group of `o`; outside the input `x` is zero.
public struct ConvolutionGeometry: Hashable, Sendable {
  public var stride: [Int]
  /// Zeros before each spatial axis.
  public var low: [Int]
  /// Zeros behind each spatial axis.
  public var high: [Int]
  public var dilation: [Int]
  public var groups: Int

  public init(stride: [Int], low: [Int], high: [Int], dilation: [Int], groups: Int = 1) {
    self.stride = stride
    self.low = low
    self.high = high
    self.dilation = dilation
    self.groups = groups
  }

  /// The number of spatial axes.
  public var rank: Int { stride.count }

  init(_ attributes: Attributes) throws(AttributeMismatch) {
    self.init(
      stride: try attributes.integers("stride"), low: try attributes.integers("low"),
      high: try attributes.integers("high"), dilation: try attributes.integers("dilation"),
      groups: try attributes.integer("groups"))
  }

  var attributes: [Attributes.Entry] {
    [
      .init(name: "stride", value: .integers(stride)), .init(name: "low", value: .integers(low)),
      .init(name: "high", value: .integers(high)),
      .init(name: "dilation", value: .integers(dilation)),
      .init(name: "groups", value: .integers([groups])),
    ]
  }

  /// Whether there are 1 to 3 spatial axes, and every number is one that a tensor can meet.
  var isSound: Bool {
    let limit = TensorType.largestExtent
    return (1...3).contains(rank) && [low, high, dilation].allSatisfy { $0.count == rank }
      && (stride + dilation + [groups]).allSatisfy { (1...limit).contains($0) }
      && (low + high).allSatisfy { (0...limit).contains($0) }
  }

  /// The spatial extents behind a window of `kernel` over `input`; `nil` if it does not fit.
  public func output(input: [Int], kernel: [Int]) -> [Int]? {
    guard isSound, input.count == rank, kernel.count == rank,
      TensorType(input).isRepresentable, TensorType(kernel).isRepresentable
    else { return nil }
    let extents = stride.indices.map { axis in
      let reach = dilation[axis] * (kernel[axis] - 1) + 1
      let room = input[axis] + low[axis] + high[axis] - reach
      return room < 0 ? 0 : room / stride[axis] + 1
    }
    return extents.contains(0) ? nil : extents
  }

  /// Whether these three types are the input, kernel and output of one convolution.
  func relates(input: TensorType, kernel: TensorType, output: TensorType) -> Bool {
    guard [input, kernel, output].allSatisfy({ $0.rank == rank + 2 && $0.element == .real })
    else { return false }
    let channels = input.shape[rank + 1]
    return input.shape[0] == output.shape[0]
      && self.output(
        input: Array(input.shape[1...rank]), kernel: Array(kernel.shape[..<rank]))
        == Array(output.shape[1...rank])
      && channels == kernel.shape[rank] * groups
      && output.shape[rank + 1] == kernel.shape[rank + 1]
      && output.shape[rank + 1] % groups == 0
  }

  /// Calls `body` with the offsets into input, kernel and output of every product in the sum.
  func forEachProduct(
    input: TensorType, kernel: TensorType, output: TensorType,
    _ body: (_ input: Int, _ kernel: Int, _ output: Int) -> Void
  ) {
    let (channels, outputs) = (kernel.shape[rank], output.shape[rank + 1])
    let inputStrides = input.strides
    let taps = Array(RowMajorPositions(Array(kernel.shape[..<rank])))
    for (place, position) in RowMajorPositions(Array(output.shape[...rank])).enumerated() {
      for (tap, offset) in taps.enumerated() {
        var base = position[0] * inputStrides[0]
        var isInside = true
        for axis in 0..<rank {
          let coordinate =
            position[axis + 1] * stride[axis] + offset[axis] * dilation[axis] - low[axis]
          isInside = isInside && coordinate >= 0 && coordinate < input.shape[axis + 1]
          base += coordinate * inputStrides[axis + 1]
        }
        guard isInside else { continue }
        for result in 0..<outputs {
          let group = result / (outputs / groups)
          for channel in 0..<channels {
            body(
              base + group * channels + channel, (tap * channels + channel) * outputs + result,
              place * outputs + result)
          }
        }
      }
    }
  }
}
