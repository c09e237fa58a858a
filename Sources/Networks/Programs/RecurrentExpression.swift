internal import TensorIR

extension Recurrent {
  private static let recurrentWeight = ParameterRole.other("recurrent_weight")
  private static let recurrentBias = ParameterRole.other("recurrent_bias")

  public func ownRole(for role: ParameterRole) -> ParameterRole {
    guard case .other(let name) = role else { return role }
    return switch name {
    case "weight_ih_l0": .weight
    case "recurrent_kernel", "weight_hh_l0": Self.recurrentWeight
    case "bias_ih_l0": .bias
    case "bias_hh_l0": Self.recurrentBias
    default: role
    }
  }

  /// Blocks of gates in the order of the framework.
  ///
  /// The graph orders those of an LSTM as input, forget, candidate, output, as both frameworks do,
  /// and those of a GRU as Keras does: update, reset, candidate. PyTorch has reset first.
  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    var arrangement = ParameterArrangement(shape)
    guard convention == .channelsFirst else { return arrangement }
    if case .gru = cell {
      arrangement = arrangement.reordered(axis: shape.count - 1, blocks: [1, 0, 2])
    }
    return role == .weight || role == Self.recurrentWeight
      ? arrangement.transposed([1, 0]) : arrangement
  }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    if case .unstated = cell {
      throw UnsupportedLayer(self, "the file does not say what its cell computes")
    }
    let x = inputs[0].declared(in: &pass.graph)
    let (samples, steps, features) = (x.type.shape[0], x.type.shape[1], x.type.shape[2])
    guard steps <= ForwardPass.stepLimit else {
      throw UnsupportedLayer(
        self, "\(steps) steps would be unrolled; up to \(ForwardPass.stepLimit) are")
    }
    try pass.requireRoom([samples, steps, gateCount, units])
    let width = gateCount * units
    let weight = try pass.parameter(.weight, [features, width])
    let recurrent = try pass.parameter(Self.recurrentWeight, [units, width])
    let (inputBias, stateBias) = try biases(width, in: &pass)
    // The input's share of every step is one product.
    let shares = pass.graph.affine(x, weight, inputBias)
    var state = State(output: pass.graph.zero(TensorType([samples, units])))
    var outputs: [Value] = []
    for step in 0..<steps {
      let place = isReversed ? steps - 1 - step : step
      let share = pass.graph.apply(
        TensorIR.Reshape(to: [samples, width]),
        pass.graph.part(shares, axis: 1, from: place, to: place + 1))
      state = try next(state, share, recurrent, stateBias, in: &pass.graph)
      outputs.append(state.output)
    }
    guard returnsSequences else { return FeatureMap(state.output) }
    let rows = outputs.map {
      pass.graph.apply(TensorIR.Reshape(to: [samples, 1, units]), $0)
    }
    return FeatureMap(pass.graph.apply(Concatenate(axis: 1), rows))
  }

  private func biases(
    _ width: Int, in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> (input: Value?, state: Value?) {
    switch bias {
    case .none: return (nil, nil)
    case .joint: return (try pass.parameter(.bias, [width]), nil)
    case .separate:
      return (
        try pass.parameter(.bias, [width]), try pass.parameter(Self.recurrentBias, [width])
      )
    case .rows:
      let both = try pass.parameter(.bias, [2, width])
      let rows = (0..<2).map { row in
        pass.graph.apply(
          TensorIR.Reshape(to: [width]),
          pass.graph.part(both, axis: 0, from: row, to: row + 1))
      }
      return (rows[0], rows[1])
    }
  }
}

/// What one step hands to the next, `[samples, units]` each.
private struct State {
  var output: Value
  var cell: Value?
}

extension Recurrent {
  private func activated(
    _ value: Value, _ function: ActivationFunction, in graph: inout Graph
  ) throws(UnsupportedLayer) -> Value {
    guard let value = function.expression(value, in: &graph) else {
      throw UnsupportedLayer(self, "its activation '\(function.name)' is not known here")
    }
    return value
  }

  /// The state behind one step; `share` is the input's part of every block,
  /// `[samples, blocks · units]`.
  private func next(
    _ state: State, _ share: Value, _ recurrent: Value, _ bias: Value?, in graph: inout Graph
  ) throws(UnsupportedLayer) -> State {
    if case .gru(let resetsAfter) = cell {
      return try nextGRU(state, share, recurrent, bias, resetsAfter, in: &graph)
    }
    let sum = graph.apply(Add(), share, graph.affine(state.output, recurrent, bias))
    guard cell == .lstm else {
      return State(output: try activated(sum, activation, in: &graph))
    }
    let blocks = graph.parts(sum, 4)
    let input = try activated(blocks[0], gateActivation, in: &graph)
    let forget = try activated(blocks[1], gateActivation, in: &graph)
    let candidate = try activated(blocks[2], activation, in: &graph)
    let output = try activated(blocks[3], gateActivation, in: &graph)
    var kept = graph.apply(Multiply(), input, candidate)
    if let cell = state.cell {
      kept = graph.apply(Add(), graph.apply(Multiply(), forget, cell), kept)
    }
    let shown = try activated(kept, activation, in: &graph)
    return State(output: graph.apply(Multiply(), output, shown), cell: kept)
  }

  private func nextGRU(
    _ state: State, _ share: Value, _ recurrent: Value, _ bias: Value?, _ resetsAfter: Bool,
    in graph: inout Graph
  ) throws(UnsupportedLayer) -> State {
    let shares = graph.parts(share, 3)
    let weights = resetsAfter ? [] : graph.parts(recurrent, 3)
    let biases = resetsAfter ? [] : bias.map { graph.parts($0, 3) } ?? []
    var blocks: [Value] = []
    if resetsAfter {
      blocks = graph.parts(graph.affine(state.output, recurrent, bias), 3)
    } else {
      blocks = (0..<2).map { block in
        graph.affine(state.output, weights[block], biases.isEmpty ? nil : biases[block])
      }
    }
    let update = try activated(
      graph.apply(Add(), shares[0], blocks[0]), gateActivation, in: &graph)
    let reset = try activated(
      graph.apply(Add(), shares[1], blocks[1]), gateActivation, in: &graph)
    let remembered =
      resetsAfter
      ? graph.apply(Multiply(), reset, blocks[2])
      : graph.affine(
        graph.apply(Multiply(), reset, state.output), weights[2],
        biases.isEmpty ? nil : biases[2])
    let candidate = try activated(
      graph.apply(Add(), shares[2], remembered), activation, in: &graph)
    // h′ = c + z (h − c)
    let change = graph.apply(
      Multiply(), update, graph.apply(Subtract(), state.output, candidate))
    return State(output: graph.apply(Add(), candidate, change))
  }
}
