internal import TensorIR

extension Resampling {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    switch operation {
    case .pad(let low, let high):
      let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
      return FeatureMap(
        try pass.apply(Pad(low: [0] + low + [0], high: [0] + high + [0]), x),
        isHeldChannelsLast: channelsFirst)
    case .crop(let low, let high):
      let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
      var limits = x.type.shape
      for axis in high.indices { limits[axis + 1] -= high[axis] }
      return FeatureMap(
        try pass.apply(Slice(starts: [0] + low + [0], limits: limits), x),
        isHeldChannelsLast: channelsFirst)
    case .upsample(let factors, let interpolation):
      var x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
      for (axis, factor) in factors.enumerated() {
        switch interpolation {
        case .nearest:
          try pass.requireRoom(x.type.shape + [factor])
          x = pass.graph.copied(x, factor, along: axis + 1)
        case .linear(let alignsCorners):
          let extent = x.type.shape[axis + 1]
          try pass.requireRoom([extent, extent * factor], limit: ForwardPass.tableLimit)
          let weights = Self.weights(extent, extent * factor, alignsCorners: alignsCorners)
          let table = pass.graph.table(weights, TensorType([extent, extent * factor]))
          x = pass.graph.mapped(x, along: axis + 1, by: table)
        }
      }
      return FeatureMap(x, isHeldChannelsLast: channelsFirst)
    case .permute(let order):
      let x = inputs[0].declared(in: &pass.graph)
      return FeatureMap(pass.graph.apply(Transpose([0] + order.map { $0 + 1 }), x))
    case .repeated(let count):
      let x = inputs[0].declared(in: &pass.graph)
      let shape = [x.type.shape[0], count, x.type.shape[1]]
      return FeatureMap(pass.graph.apply(BroadcastInDim(shape: shape, axes: [0, 2]), x))
    case .unstated:
      throw UnsupportedLayer(self, "the file does not say what it does")
    }
  }

  /// The share that each old element has in each new one.
  ///
  /// - Shape: `[old, new]`, row-major.
  private static func weights(_ old: Int, _ new: Int, alignsCorners: Bool) -> [Double] {
    var weights = Array(repeating: 0.0, count: old * new)
    for index in 0..<new {
      let place =
        alignsCorners
        ? (new > 1 ? Double(index) * Double(old - 1) / Double(new - 1) : 0)
        : max((Double(index) + 0.5) * Double(old) / Double(new) - 0.5, 0)
      let low = min(Int(place), old - 1)
      let share = min(place - Double(low), 1)
      weights[low * new + index] += 1 - share
      weights[min(low + 1, old - 1) * new + index] += share
    }
    return weights
  }
}

extension Graph {
  /// Each place along one axis `count` times in a row.
  fileprivate mutating func copied(_ x: Value, _ count: Int, along axis: Int) -> Value {
    var shape = x.type.shape
    shape.insert(count, at: axis + 1)
    let axes = shape.indices.filter { $0 != axis + 1 }
    let copies = apply(BroadcastInDim(shape: shape, axes: axes), x)
    var joined = x.type.shape
    joined[axis] *= count
    return apply(TensorIR.Reshape(to: joined), copies)
  }
}
