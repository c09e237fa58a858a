internal import TensorIR

extension GradientMatching.Step {
  /// Appends the moved input, kept in its box, and the optimiser's state as carried outputs.
  func append(
    to graph: inout Graph, input x: Value, gradient: Value, box: (lower: Value, upper: Value)?
  ) {
    let momentum = graph.input("momentum", x.type)
    let variance = graph.input("variance", x.type)
    let rate = graph.input(GradientMatching.Name.learningRate, .scalar)
    let direction = isSigned ? graph.apply(Sign(), gradient) : gradient
    let square = graph.apply(Multiply(), direction, direction)
    let moved = graph.average(momentum, direction, decay: firstDecay)
    let spread = graph.average(variance, square, decay: secondDecay)
    let first = graph.power("first-power", firstDecay)
    let second = graph.power("second-power", secondDecay)
    // The corrections of Adam, folded into the rate and under the root.
    let scaled = graph.apply(
      Divide(), moved, graph.repeated(graph.remainder(first), as: x.type))
    let root = graph.apply(
      Sqrt(),
      graph.apply(Divide(), spread, graph.repeated(graph.remainder(second), as: x.type)))
    let quotient = graph.apply(
      Divide(), scaled, graph.apply(Add(), root, graph.constant(epsilon, x.type)))
    var next = graph.apply(
      Subtract(), x, graph.apply(Multiply(), graph.repeated(rate, as: x.type), quotient))
    if let box {
      next = graph.apply(Minimum(), graph.apply(Maximum(), next, box.lower), box.upper)
    }
    graph.output("next-momentum", moved, carriedInto: momentum)
    graph.output("next-variance", spread, carriedInto: variance)
    graph.output("next-input", next, carriedInto: x)
  }
}

extension Graph {
  /// `decay · old + (1 − decay) · new`.
  fileprivate mutating func average(_ old: Value, _ new: Value, decay: Double) -> Value {
    apply(
      Add(), apply(Multiply(), constant(decay, old.type), old),
      apply(Multiply(), constant(1 - decay, new.type), new))
  }

  /// `decayᵗ` in run `t`, carried from run to run.
  fileprivate mutating func power(_ name: String, _ decay: Double) -> Value {
    let before = input(name, .scalar)
    let now = apply(Multiply(), constant(decay), before)
    output("next-" + name, now, carriedInto: before)
    return now
  }

  /// `1 − x`.
  fileprivate mutating func remainder(_ x: Value) -> Value {
    apply(Subtract(), constant(1), x)
  }

  /// A scalar for every element.
  mutating func repeated(_ scalar: Value, as type: TensorType) -> Value {
    apply(BroadcastInDim(shape: type.shape, axes: []), scalar)
  }
}
