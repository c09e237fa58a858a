internal import TensorIR

extension Pooling {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
    let shape = x.type.shape
    let spatial = Array(1..<shape.count - 1)
    if let outputExtents { return try adaptive(x, to: outputExtents, in: &pass) }
    guard !window.isEmpty else {
      let pooled =
        statistic == .maximum
        ? pass.graph.apply(Reduce(.maximum, axes: spatial), x) : pass.graph.mean(x, over: spatial)
      guard keepsAxes else { return FeatureMap(pooled) }
      let kept = shape.indices.map { spatial.contains($0) ? 1 : shape[$0] }
      return FeatureMap(
        pass.graph.apply(TensorIR.Reshape(to: kept), pooled), isHeldChannelsLast: channelsFirst)
    }
    let placements = spatial.indices.compactMap { placement($0, shape[spatial[$0]]) }
    guard placements.count == window.count else {
      throw UnsupportedLayer(self, "a window does not fit")
    }
    let geometry = WindowGeometry(
      window: window, stride: stride, low: placements.map(\.low), high: placements.map(\.high))
    let pooled: Value
    switch statistic {
    case .maximum where dilation.contains { $0 > 1 }:
      pooled = try dilatedMaximum(x, placements, in: &pass)
    case .maximum:
      let places = try pass.apply(WindowArgmax(geometry), x)
      pooled = pass.graph.apply(WindowGather(), x, places)
    case .average:
      let sums = try pass.apply(ReduceWindow(geometry), x)
      let shares = try shares(placements, extents: spatial.map { shape[$0] }, like: sums, in: &pass)
      pooled = pass.graph.apply(Multiply(), sums, shares)
    }
    return FeatureMap(pooled, isHeldChannelsLast: channelsFirst)
  }

  /// One over the number of places that each window averages over.
  private func shares(
    _ placements: [Placement], extents: [Int], like sums: Value, in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> Value {
    let counts = placements.enumerated().map { axis, placement in
      (0..<placement.output).map { index in
        let start = index * stride[axis] - placement.low
        let end = start + window[axis]
        return countsPadding
          ? min(end, extents[axis] + placement.padding) - start
          : min(end, extents[axis]) - max(start, 0)
      }
    }
    try pass.requireRoom(counts.map(\.count), limit: ForwardPass.tableLimit)
    let plane = counts.reduce([1.0]) { products, counts in
      products.flatMap { product in counts.map { product * Double($0) } }
    }
    let table = pass.graph.table(plane.map { 1 / $0 }, TensorType(counts.map(\.count)))
    return pass.graph.apply(
      BroadcastInDim(shape: sums.type.shape, axes: counts.indices.map { $0 + 1 }), table)
  }

  /// The maximum over the taps of a window, each a strided part of the padded input.
  private func dilatedMaximum(
    _ x: Value, _ placements: [Placement], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> Value {
    var padded = x
    for (axis, placement) in placements.enumerated() {
      for (amount, isBehind) in [(placement.low, false), (placement.high, true)] where amount > 0 {
        var shape = padded.type.shape
        shape[axis + 1] = amount
        try pass.requireRoom(shape)
        let border = pass.graph.constant(-.infinity, TensorType(shape))
        padded = pass.graph.apply(
          Concatenate(axis: axis + 1), isBehind ? [padded, border] : [border, padded])
      }
    }
    try pass.requireRoom(window, limit: 1 << 10)
    let taps = window.reduce([[]]) { taps, extent in
      taps.flatMap { tap in (0..<extent).map { tap + [$0] } }
    }
    var largest: Value?
    for tap in taps {
      var starts = padded.type.shape.map { _ in 0 }
      var (limits, strides) = (padded.type.shape, starts.map { _ in 1 })
      for axis in window.indices {
        starts[axis + 1] = tap[axis] * dilation[axis]
        limits[axis + 1] = starts[axis + 1] + (placements[axis].output - 1) * stride[axis] + 1
        strides[axis + 1] = stride[axis]
      }
      let part = try pass.apply(Slice(starts: starts, limits: limits, strides: strides), padded)
      // A tie goes to the earlier tap.
      largest = largest.map { pass.graph.apply(Maximum(), part, $0) } ?? part
    }
    return largest ?? x
  }

  /// Windows from `⌊i·n/m⌋` to `⌈(i + 1)·n/m⌉` for `m` outputs over `n` places.
  private func adaptive(
    _ x: Value, to extents: [Int], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    if statistic == .maximum {
      let inputs = x.type.shape.dropFirst()
      guard zip(inputs, extents).allSatisfy({ $0 % $1 == 0 }) else {
        throw UnsupportedLayer(self, "adaptive maxima over windows of several sizes")
      }
      let even = Pooling(.maximum, window: zip(inputs, extents).map { $0 / $1 })
      let pooled = try even.forward([FeatureMap(x)], in: &pass)
      return FeatureMap(pooled.value, isHeldChannelsLast: channelsFirst)
    }
    var result = x
    for (axis, outputs) in extents.enumerated() {
      let inputs = x.type.shape[axis + 1]
      try pass.requireRoom([inputs, outputs], limit: ForwardPass.tableLimit)
      var matrix = Array(repeating: 0.0, count: inputs * outputs)
      for output in 0..<outputs {
        let (start, end) = (output * inputs / outputs, ((output + 1) * inputs - 1) / outputs + 1)
        for input in start..<end { matrix[input * outputs + output] = 1 / Double(end - start) }
      }
      let table = pass.graph.table(matrix, TensorType([inputs, outputs]))
      result = pass.graph.mapped(result, along: axis + 1, by: table)
    }
    return FeatureMap(result, isHeldChannelsLast: channelsFirst)
  }
}
