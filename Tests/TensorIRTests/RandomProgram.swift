import TensorIR

/// A random graph over every kind of primitive, for properties that hold for all graphs.
///
/// Values stay within a few powers of ten, and truth values and indices come from inputs alone, so
/// that another order of summation does not turn a comparison round.
struct RandomProgram {
  var graph = Graph()
  private(set) var generator: SplitMix64
  private(set) var bindings: [Value: [Double]] = [:]
  /// The real values made so far.
  private(set) var pool: [Value] = []
  /// Whether nodes are appended as they stand, neither shared nor simplified.
  let isRaw: Bool

  init(seed: UInt64, steps: Int, isRaw: Bool) {
    generator = SplitMix64(seed: seed)
    self.isRaw = isRaw
    for (index, shape) in [[2, 4, 3], [4, 3], [2, 3], []].enumerated() {
      let kind: Graph.InputKind = index == 1 ? .parameter : .argument
      let input = graph.input("x\(index)", TensorType(shape), kind)
      bindings[input] = generator.elements(input.type)
      pool.append(input)
    }
    for _ in 0..<steps { step() }
    for (index, value) in pool.suffix(3).enumerated() { graph.output("y\(index)", value) }
  }

  /// The real inputs.
  var inputs: [Value] { graph.inputs.map(\.value) }

  private mutating func apply(_ primitive: some Primitive, _ operands: Value...) -> Value {
    guard isRaw, let type = try? primitive.checkedResultType(of: operands.map(\.type)) else {
      return graph.apply(primitive, operands)
    }
    return graph.append(.primitive(primitive, operands), type)
  }

  private mutating func constant(_ type: TensorType) -> Value {
    let scalars = [0, 1, -1, 2, -0.5, 0.0]
    let scalar = scalars[Int.random(in: scalars.indices, using: &generator)]
    return isRaw ? graph.append(.constant(scalar), type) : graph.constant(scalar, type)
  }

  private mutating func pick() -> Value {
    // Late values more often, so that programs are deep.
    let from = Bool.random(using: &generator) ? max(0, pool.count - 4) : 0
    return pool[Int.random(in: from..<pool.count, using: &generator)]
  }

  /// A value of that type: an earlier one, or a constant.
  private mutating func partner(_ type: TensorType) -> Value {
    let fitting = pool.filter { $0.type == type }
    guard Int.random(in: 0..<4, using: &generator) > 0,
      let value = fitting.randomElement(using: &generator)
    else { return constant(type) }
    return value
  }

  private mutating func step() {
    let x = pick()
    let shape = x.type.shape
    switch Int.random(in: 0..<18, using: &generator) {
    case 0: pool.append(apply(Tanh(), x))
    case 1: pool.append(apply(Logistic(), x))
    case 2: pool.append(apply(Negate(), x))
    case 3: pool.append(apply(Erf(), apply(Negate(), x)))
    case 4: pool.append(apply(Add(), x, partner(x.type)))
    case 5: pool.append(apply(Subtract(), partner(x.type), x))
    case 6: pool.append(apply(Tanh(), apply(Multiply(), x, partner(x.type))))
    case 7: pool.append(apply(Tanh(), apply(Multiply(), constant(x.type), x)))
    case 8: pool.append(apply(Maximum(), x, partner(x.type)))
    case 9:
      let divisor = isRaw ? graph.append(.constant(4), x.type) : graph.constant(4, x.type)
      pool.append(apply(Divide(), x, divisor))
    case 10: pool.append(apply(Transpose(shape.indices.shuffled(using: &generator)), x))
    case 11:
      let axes = shape.indices.filter { _ in Bool.random(using: &generator) }
      pool.append(apply(Tanh(), apply(Reduce(.sum, axes: axes), x)))
    case 12: pool.append(apply(Reshape(to: shape.reversed()), x))
    case 13 where x.type.rank < 3:
      let axes = Array(shape.indices.map { $0 + 1 })
      pool.append(apply(BroadcastInDim(shape: [2] + shape, axes: axes), x))
    case 14 where x.type.rank > 0:
      let zeros = shape.map { _ in 0 }
      let padded = apply(Pad(low: zeros, high: shape.map { _ in 1 }), x)
      pool.append(apply(Slice(starts: zeros, limits: shape), padded))
    case 15 where x.type.rank > 0: pool.append(product(x))
    case 16 where x.type.rank > 0:
      let joined = apply(Concatenate(axis: 0), x, partner(x.type))
      pool.append(apply(Slice(starts: shape.map { _ in 0 }, limits: shape), joined))
    case 17:
      let first = graph.inputs[0].value
      let isLarge = apply(Compare(.greater), first, constant(first.type))
      pool.append(apply(Select(), isLarge, first, partner(first.type)))
    default: pool.append(apply(Abs(), x))
    }
  }

  private mutating func product(_ x: Value) -> Value {
    let last = x.type.rank - 1
    let other = partner(x.type)
    let contracted = DotGeneral(leftContracting: [last], rightContracting: [last])
    let sum = apply(contracted, x, other)
    return apply(Tanh(), apply(Reduce(.sum, axes: Array(last..<2 * last)), sum))
  }

  /// The outputs of a graph with these inputs, bound by name.
  func evaluate(_ graph: Graph) -> [[Double]] {
    let byName = Dictionary(
      uniqueKeysWithValues: self.graph.inputs.map { ($0.name, bindings[$0.value, default: []]) })
    let inputs = graph.inputs.map { ($0.value, byName[$0.name, default: []]) }
    return ReferenceInterpreter().evaluate(
      graph.outputs.map(\.value), in: graph, inputs: Dictionary(uniqueKeysWithValues: inputs))
  }

  /// Adds a loss over the outputs, its gradient and a derivative of that along itself.
  mutating func differentiate() {
    var loss = graph.zero(.scalar)
    for output in graph.outputs {
      let axes = Array(output.value.type.shape.indices)
      let sum = graph.apply(Reduce(.sum, axes: axes), graph.apply(Tanh(), output.value))
      loss = graph.apply(Add(), loss, sum)
    }
    let gradients = graph.gradient(of: loss, in: inputs)
    let directions = Dictionary(uniqueKeysWithValues: zip(inputs, gradients))
    let products = graph.pushforward(of: gradients, along: directions)
    graph.output("loss", loss)
    for (index, gradient) in gradients.enumerated() {
      graph.output("g\(index)", gradient, carriedInto: inputs[index])
      graph.output("h\(index)", products[index] ?? graph.zero(gradient.type))
    }
  }
}
