public import Networks
public import TensorIR

/// Gradient matching: finds an input whose gradient is the observed one.
///
/// - Source: Geiping et al., *Inverting Gradients – How easy is it to break privacy in federated
///   learning?*, NeurIPS 2020, equation 4 and section 4.
public struct GradientMatching: Hashable, Sendable {
  /// How far the simulated gradient `g` is from the observed one `g*`, over all parameters at once.
  public enum Distance: String, Hashable, Sendable, CaseIterable {
    /// `1 − ⟨g, g*⟩ / (‖g‖ ‖g*‖)`.
    case cosine
    /// `‖g − g*‖²`; Zhu et al., *Deep Leakage from Gradients*, NeurIPS 2019.
    case squared
  }

  /// Adam, by default on the sign of the gradient as in the paper.
  ///
  /// - Source: Kingma & Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015.
  public struct Step: Hashable, Sendable {
    public var isSigned = true
    public var firstDecay = 0.9
    public var secondDecay = 0.999
    public var epsilon = 1e-8

    public init() {}
  }

  public var distance = Distance.cosine
  /// The weight of the mean total variation of the input.
  public var totalVariation = 0.0
  /// Whether images have their channels in front of the spatial axes; `nil` is what the layers of
  /// the network declare, which dense layers alone do not.
  public var isChannelsFirst: Bool?
  public var step = Step()

  public init() {}
}

extension GradientMatching {
  /// The names that the inputs and outputs of ``iteration(of:samples:loss:mode:)`` have.
  public enum Name {
    /// The candidate input, carried from run to run.
    public static let input = "input"
    /// The labels as the loss wants them.
    public static let target = "target"
    /// The rate of this step, a scalar.
    public static let learningRate = "learning-rate"
    public static let objective = "objective"
    /// ∂objective/∂input at the start of the run.
    public static let gradient = "gradient"

    /// The observed gradient of the parameter whose graph input is `parameter`.
    public static func observed(_ parameter: String) -> String { "observed/" + parameter }
  }

  /// One iteration as a program: objective, its gradient in the input, and the optimiser's step.
  ///
  /// With `v = ∂D/∂g`, the gradient `(∂g/∂x)ᵀ v` is the pushforward of `∇ₓL` along `v` in the
  /// parameters, so no backward pass goes through the backward pass. Observed gradients and
  /// parameters stand in the graph's axis order.
  ///
  /// - Returns: A program that carries the input and the optimiser's state from run to run. Bind 0 to
  ///   `momentum` and `variance` and 1 to `first-power` and `second-power` before the first run.
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func iteration(
    of network: Network, samples: Int, loss: Loss, mode: ForwardPass.Mode = .inference
  ) throws(UnsupportedLayer) -> Graph {
    var program = try network.gradientGraph(samples: samples, loss: loss, mode: mode)
    let parameters = program.parameters
    let x = program.inputs[0]
    let observed = parameters.map { parameter in
      program.graph.input(
        Name.observed(program.graph.inputName(parameter.value)), parameter.value.type, .parameter)
    }
    let gradients = parameters.map(\.gradient)
    let distance = distance.value(gradients, observed, in: &program.graph)
    let direction = program.graph.gradient(of: distance, in: gradients)
    var slope = program.mixedProduct(along: direction)[0]
    var graph = program.graph
    var objective = distance
    if totalVariation != 0 {
      let smoothness = graph.apply(
        Multiply(), graph.constant(totalVariation),
        graph.totalVariation(x, channelsFirst: isChannelsFirst ?? network.isChannelsFirst))
      objective = graph.apply(Add(), objective, smoothness)
      slope = graph.apply(Add(), slope, graph.gradient(of: smoothness, in: [x])[0])
    }
    var result = Graph(withoutOutputsOf: graph)
    result.output(Name.objective, objective)
    result.output(Name.gradient, slope)
    step.append(to: &result, input: x, gradient: slope)
    return result.factoringLowRankProducts()
  }
}

extension GradientMatching.Distance {
  /// - Returns: A scalar.
  func value(_ gradients: [Value], _ observed: [Value], in graph: inout Graph) -> Value {
    switch self {
    case .cosine:
      let product = graph.total(zip(gradients, observed).map { ($0, $1) })
      let own = graph.total(gradients.map { ($0, $0) })
      let other = graph.total(observed.map { ($0, $0) })
      let norms = graph.apply(Multiply(), graph.apply(Sqrt(), own), graph.apply(Sqrt(), other))
      return graph.apply(
        Subtract(), graph.constant(1), graph.apply(Divide(), product, norms))
    case .squared:
      let errors = zip(gradients, observed).map { graph.apply(Subtract(), $0, $1) }
      return graph.total(errors.map { ($0, $0) })
    }
  }
}

extension GradientMatching.Step {
  /// Appends the moved input and the optimiser's state as carried outputs.
  func append(to graph: inout Graph, input x: Value, gradient: Value) {
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
    let next = graph.apply(
      Subtract(), x, graph.apply(Multiply(), graph.repeated(rate, as: x.type), quotient))
    graph.output("next-momentum", moved, carriedInto: momentum)
    graph.output("next-variance", spread, carriedInto: variance)
    graph.output("next-input", next, carriedInto: x)
  }
}

extension Graph {
  /// The sum of the inner products of pairs of equal shape.
  fileprivate mutating func total(_ pairs: [(Value, Value)]) -> Value {
    var total = constant(0)
    for (left, right) in pairs {
      let product = apply(Multiply(), left, right)
      let sum = apply(Reduce(.sum, axes: Array(left.type.shape.indices)), product)
      total = apply(Add(), total, sum)
    }
    return total
  }

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
  fileprivate mutating func repeated(_ scalar: Value, as type: TensorType) -> Value {
    apply(BroadcastInDim(shape: type.shape, axes: []), scalar)
  }

  /// The mean absolute difference between neighbours along both spatial axes, summed over the axes.
  fileprivate mutating func totalVariation(_ x: Value, channelsFirst: Bool) -> Value {
    let shape = x.type.shape
    let spatial = channelsFirst ? Array(2..<shape.count) : Array(1..<shape.count - 1)
    var total = constant(0)
    for axis in spatial where shape[axis] > 1 {
      var (starts, limits) = (shape.map { _ in 0 }, shape)
      limits[axis] -= 1
      let near = apply(Slice(starts: starts, limits: limits), x)
      (starts[axis], limits[axis]) = (1, shape[axis])
      let far = apply(Slice(starts: starts, limits: limits), x)
      let steps = apply(Abs(), apply(Subtract(), far, near))
      let sum = apply(Reduce(.sum, axes: Array(shape.indices)), steps)
      let mean = apply(Multiply(), constant(1 / Double(steps.type.elementCount)), sum)
      total = apply(Add(), total, mean)
    }
    return total
  }
}
