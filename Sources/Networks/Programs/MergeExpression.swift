internal import TensorIR

extension Merge {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    switch operation {
    case .concatenate(let axis):
      let (maps, isHeld) = aligned(inputs, in: &pass)
      let declared = maps[0].declaredShape.dropFirst().map { Optional($0) }.axis(axis) ?? 0
      let place = maps[0].heldAxis(declared + 1)
      return FeatureMap(
        pass.graph.apply(Concatenate(axis: place), maps.map(\.value)), isHeldChannelsLast: isHeld)
    case .dot(let axes): return FeatureMap(product(inputs, axes, in: &pass))
    case .unstated: throw UnsupportedLayer(self, "the file does not say what it computes")
    case .subtract where inputs.count != 2:
      throw UnsupportedLayer(self, "a difference of \(inputs.count) tensors")
    case .add, .subtract, .multiply, .average, .maximum, .minimum:
      let (maps, isHeld) = aligned(inputs, in: &pass)
      let values = expanded(maps.map(\.value), in: &pass.graph)
      return FeatureMap(combined(values, in: &pass.graph), isHeldChannelsLast: isHeld)
    }
  }

  private func combined(_ values: [Value], in graph: inout Graph) -> Value {
    func folded(_ primitive: some Primitive) -> Value {
      values.dropFirst().reduce(values[0]) { graph.apply(primitive, $0, $1) }
    }
    switch operation {
    case .subtract: return folded(Subtract())
    case .multiply: return folded(Multiply())
    case .maximum: return folded(Maximum())
    case .minimum: return folded(Minimum())
    case .average: return graph.scaled(folded(Add()), by: 1 / Double(values.count))
    case .add, .concatenate, .dot, .unstated: return folded(Add())
    }
  }

  /// The tensors in one order: channels last if one of them is held so and all have its axes.
  private func aligned(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) -> (maps: [FeatureMap], isHeld: Bool) {
    let isHeld =
      inputs.contains { $0.isHeldChannelsLast }
      && inputs.allSatisfy { $0.value.type.rank == inputs[0].value.type.rank }
    let maps = inputs.map { map in
      FeatureMap(
        isHeld
          ? map.channelsLast(declaredFirst: true, in: &pass.graph)
          : map.declared(in: &pass.graph), isHeldChannelsLast: isHeld)
    }
    return (maps, isHeld)
  }

  /// The tensors under one shape; axes that one lacks stand behind the batch axis.
  private func expanded(_ values: [Value], in graph: inout Graph) -> [Value] {
    let rank = values.map(\.type.rank).max() ?? 0
    let ranked = values.map { value in
      let missing = Array(repeating: 1, count: rank - value.type.rank)
      return graph.apply(
        TensorIR.Reshape(
          to: value.type.shape.prefix(1) + missing + value.type.shape.dropFirst()), value)
    }
    let shape = (0..<rank).map { axis in ranked.map { $0.type.shape[axis] }.max() ?? 1 }
    return ranked.map { graph.expanded($0, to: shape) }
  }

  private func product(
    _ inputs: [FeatureMap], _ axes: [Int], in pass: inout ForwardPass
  ) -> Value {
    let values = inputs.map { $0.declared(in: &pass.graph) }
    let places = zip(values, axes).map { value, axis in
      (value.type.shape.dropFirst().map { Optional($0) }.axis(axis) ?? 0) + 1
    }
    let product = pass.graph.apply(
      DotGeneral(
        leftBatch: [0], rightBatch: [0], leftContracting: [places[0]],
        rightContracting: [places[1]]), values)
    let samples = product.type.shape[0]
    return product.type.rank > 1
      ? product : pass.graph.apply(TensorIR.Reshape(to: [samples, 1]), product)
  }
}
