internal import TensorIR

/// Between which values every entry of the input lies.
package struct InputBox: Hashable, Sendable {
  /// One for all entries, or one for each channel.
  package var lower: [Double]
  package var upper: [Double]
  /// Whether the channels are the first axis behind the samples, rather than the last.
  package var isChannelsFirst: Bool

  /// - Precondition: As many lower bounds as upper ones.
  package init(lower: [Double], upper: [Double], isChannelsFirst: Bool) {
    precondition(lower.count == upper.count && !lower.isEmpty, "bounds come in pairs")
    self.lower = lower
    self.upper = upper
    self.isChannelsFirst = isChannelsFirst
  }

  /// The bounds of every entry of an input of shape `[samples, …]`, as constants.
  func bounds(of type: TensorType, in graph: inout Graph) -> (lower: Value, upper: Value) {
    let axis = isChannelsFirst ? 1 : type.shape.count - 1
    func value(_ bounds: [Double]) -> Value {
      guard bounds.count > 1 else { return graph.constant(bounds[0], type) }
      precondition(type.shape[axis] == bounds.count, "one bound for each channel")
      return graph.apply(
        BroadcastInDim(shape: type.shape, axes: [axis]),
        graph.table(bounds, TensorType([bounds.count])))
    }
    return (value(lower), value(upper))
  }

  /// The bounds of every entry in inputs of shape `[samples, …]`, row-major.
  func bounds(in shape: [Int]) -> [ClosedRange<Double>] {
    (0..<shape.reduce(1, *)).map { bounds(at: $0, in: shape) }
  }

  /// The bounds of the entry at a row-major place in inputs of shape `[samples, …]`.
  private func bounds(at index: Int, in shape: [Int]) -> ClosedRange<Double> {
    guard lower.count > 1 else { return lower[0]...upper[0] }
    let axis = isChannelsFirst ? 1 : shape.count - 1
    let stride = shape[(axis + 1)...].reduce(1, *)
    let channel = index / stride % shape[axis]
    return lower[channel]...upper[channel]
  }
}

extension [Double] {
  /// Puts every value into its bounds; those behind the bounds stay as they are.
  mutating func clamp(to bounds: [ClosedRange<Double>]) {
    for (place, bound) in bounds.enumerated() {
      self[place] = Swift.min(Swift.max(self[place], bound.lowerBound), bound.upperBound)
    }
  }
}
