internal import TensorIR

extension Attention {
  /// Keras' and PyTorch's names for the parameters.
  private static let ownNames = [
    "query_kernel": "query_weight", "key_kernel": "key_weight", "value_kernel": "value_weight",
    "attention_output_kernel": "output_weight",
    "attention_output_bias": "output_bias", "q_proj_weight": "query_weight",
    "k_proj_weight": "key_weight", "v_proj_weight": "value_weight",
    "out_proj.weight": "output_weight", "out_proj.bias": "output_bias",
    "out_proj_weight": "output_weight", "out_proj_bias": "output_bias",
  ]

  public func ownRole(for role: ParameterRole) -> ParameterRole {
    guard case .other(let name) = role, let own = Self.ownNames[name] else { return role }
    return .other(own)
  }

  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    guard case .multiHead(let arrangement) = form, case .other(let name) = role else {
      return ParameterArrangement(shape)
    }
    if convention == .channelsFirst {
      return shape.count == 2 ? .matrix(shape, in: convention) : ParameterArrangement(shape)
    }
    // Keras keeps the heads apart: `[inputs, heads, width]` and `[heads, width, outputs]`.
    let heads = arrangement.heads
    switch name {
    case "query_weight", "key_weight", "value_weight":
      return ParameterArrangement(shape).reshaped([shape[0], heads, shape[1] / heads])
    case "query_bias", "key_bias", "value_bias":
      return ParameterArrangement(shape).reshaped([heads, shape[0] / heads])
    case "output_weight":
      return ParameterArrangement(shape).reshaped([heads, shape[0] / heads, shape[1]])
    default: return ParameterArrangement(shape)
    }
  }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    guard case .multiHead(let arrangement) = form else {
      throw UnsupportedLayer(self, "the file does not state its heads and widths")
    }
    let arriving = inputs.map { $0.declared(in: &pass.graph) }
    let (query, key) = (arriving[0], arriving.count > 1 ? arriving[1] : arriving[0])
    let value = arriving.count > 2 ? arriving[2] : key
    let heads = arrangement.heads
    // Shapes that no memory holds are refused before anything is multiplied with them.
    try pass.requireRoom([heads, max(arrangement.keyWidth, arrangement.valueWidth), 3])
    let projected = try projections(of: [query, key, value], arrangement, in: &pass)
    let (samples, positions) = (query.type.shape[0], query.type.shape[1])
    try pass.requireRoom([samples, heads, positions, key.type.shape[1]])
    let parted = projected.map { pass.graph.parted($0, into: heads) }
    let products = pass.graph.apply(
      DotGeneral(
        leftBatch: [0, 2], rightBatch: [0, 2], leftContracting: [3], rightContracting: [3]),
      parted[0], parted[1])
    var scores = pass.graph.scaled(products, by: 1 / Double(arrangement.keyWidth).squareRoot())
    if arrangement.isCausal { scores = pass.graph.masked(scores) }
    let shares = pass.graph.apply(Exponential(), pass.graph.logSoftmax(scores))
    let mixed = pass.graph.apply(
      DotGeneral(
        leftBatch: [0, 1], rightBatch: [0, 2], leftContracting: [3], rightContracting: [1]),
      shares, parted[2])
    let width = heads * arrangement.valueWidth
    let joined = pass.graph.apply(
      TensorIR.Reshape(to: [samples, positions, width]),
      pass.graph.apply(Transpose([0, 2, 1, 3]), mixed))
    let outputs = arrangement.outputs ?? query.type.shape[2]
    let weight = try pass.parameter(.other("output_weight"), [width, outputs])
    let bias = arrangement.hasBias ? try pass.parameter(.other("output_bias"), [outputs]) : nil
    return FeatureMap(pass.graph.affine(joined, weight, bias))
  }

  /// Query, key and value, each `[samples, positions, heads · width]`.
  private func projections(
    of values: [Value], _ arrangement: Arrangement, in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> [Value] {
    let widths = [arrangement.keyWidth, arrangement.keyWidth, arrangement.valueWidth]
      .map { $0 * arrangement.heads }
    let names = ["query", "key", "value"]
    var biases: [Value] = []
    guard arrangement.projection == .packed else {
      var projected: [Value] = []
      for index in values.indices {
        let weight = try pass.parameter(
          .other(names[index] + "_weight"), [values[index].type.shape[2], widths[index]])
        let bias =
          arrangement.hasBias
          ? try pass.parameter(.other(names[index] + "_bias"), [widths[index]]) : nil
        projected.append(pass.graph.affine(values[index], weight, bias))
      }
      return projected
    }
    guard Set(widths).count == 1 else {
      throw UnsupportedLayer(self, "packed projections of several widths")
    }
    let bias =
      arrangement.hasBias ? try pass.parameter(.other("in_proj_bias"), [3 * widths[0]]) : nil
    let arriving = Set(values.map { $0.type.shape[2] })
    if arriving == [widths[0]] {
      let weight = try pass.parameter(.other("in_proj_weight"), [widths[0], 3 * widths[0]])
      if Set(values).count == 1 {
        return pass.graph.parts(pass.graph.affine(values[0], weight, bias), 3)
      }
      let weights = pass.graph.parts(weight, 3)
      biases = bias.map { pass.graph.parts($0, 3) } ?? []
      return values.indices.map {
        pass.graph.affine(values[$0], weights[$0], biases.isEmpty ? nil : biases[$0])
      }
    }
    biases = bias.map { pass.graph.parts($0, 3) } ?? []
    var projected: [Value] = []
    for index in values.indices {
      let weight = try pass.parameter(
        .other(names[index] + "_weight"), [values[index].type.shape[2], widths[index]])
      projected.append(
        pass.graph.affine(values[index], weight, biases.isEmpty ? nil : biases[index]))
    }
    return projected
  }
}

extension Graph {
  /// `[samples, positions, heads · width]` as `[samples, positions, heads, width]`.
  fileprivate mutating func parted(_ x: Value, into heads: Int) -> Value {
    let shape = x.type.shape
    return apply(TensorIR.Reshape(to: [shape[0], shape[1], heads, shape[2] / heads]), x)
  }

  /// Scores `[…, queries, keys]` with those of later keys far below all others.
  fileprivate mutating func masked(_ scores: Value) -> Value {
    let shape = scores.type.shape
    let rows = apply(Iota(shape: shape, axis: shape.count - 2))
    let columns = apply(Iota(shape: shape, axis: shape.count - 1))
    let isLater = apply(Compare(.greater), columns, rows)
    return apply(Select(), isLater, constant(-.infinity, scores.type), scores)
  }
}
