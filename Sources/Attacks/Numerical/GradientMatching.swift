public import AuditModel
public import Networks
public import TensorIR

/// Gradient matching: finds an input whose gradient is the observed one.
///
/// - Source: Geiping et al., *Inverting Gradients – How easy is it to break privacy in federated
///   learning?*, NeurIPS 2020, equation 4 and section 4.
public struct GradientMatching: Sendable {
  public typealias Distance = InversionSettings.Distance

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
  /// Between which values the input stays; `nil` is everywhere.
  package var box: InputBox?
  /// A node whose output is known, and how much its distance counts; the objective gains
  /// `weight · ‖h(x) − h*‖² / ‖h*‖²`.
  package var features: (node: Int, weight: Double)?
  /// The parameters whose gradients are compared; `nil` is all of them.
  public var compared: Set<ParameterTable.Key>?

  public init() {}
}

extension GradientMatching {
  /// The names that the inputs and outputs of ``iteration(of:samples:loss:mode:)`` and
  /// ``evaluation(of:samples:loss:mode:)`` have.
  public enum Name {
    /// The candidate input, carried from run to run by an iteration.
    public static let input = "input"
    /// The labels as the loss wants them.
    public static let target = "target"
    /// The rate of this step, a scalar.
    public static let learningRate = "learning-rate"
    public static let objective = "objective"
    /// ∂objective/∂input at the start of the run.
    public static let gradient = "gradient"
    /// ∂objective/∂target, of an evaluation.
    public static let targetGradient = "target-gradient"

    /// The known output of a node, in the graph's axis order.
    static let features = "features"

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
    var (graph, x, slope, _) = try objective(of: network, samples: samples, loss: loss, mode: mode)
    step.append(
      to: &graph, input: x, gradient: slope,
      box: box.map { $0.bounds(of: x.type, in: &graph) })
    return graph.factoringLowRankProducts()
  }

  /// The objective with its gradients in the input and in the labels, without a step.
  ///
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func evaluation(
    of network: Network, samples: Int, loss: Loss, mode: ForwardPass.Mode = .inference
  ) throws(UnsupportedLayer) -> Graph {
    var (graph, _, _, target) = try objective(
      of: network, samples: samples, loss: loss, mode: mode)
    graph.output(Name.targetGradient, target)
    return graph.factoringLowRankProducts()
  }

  /// The objective and its gradients as outputs.
  private func objective(
    of network: Network, samples: Int, loss: Loss, mode: ForwardPass.Mode
  ) throws(UnsupportedLayer) -> (graph: Graph, input: Value, slope: Value, targetSlope: Value) {
    var program = try network.gradientGraph(samples: samples, loss: loss, mode: mode)
    let x = program.inputs[0]
    let isCompared = program.parameters.map { compared?.contains($0.key) ?? true }
    let parameters = zip(program.parameters, isCompared).filter(\.1).map(\.0)
    let observed = parameters.map { parameter in
      program.graph.input(
        Name.observed(program.graph.inputName(parameter.value)), parameter.value.type, .parameter)
    }
    let gradients = parameters.map(\.gradient)
    let distance = distance.value(gradients, observed, in: &program.graph)
    var directions = program.graph.slopes(of: distance, in: gradients).makeIterator()
    let direction = zip(program.parameters, isCompared).map { parameter, isCompared in
      isCompared
        ? directions.next() ?? program.graph.zero(parameter.value.type)
        : program.graph.zero(parameter.value.type)
    }
    let (slopes, targetSlope) = program.mixedProducts(along: direction)
    var (graph, slope, objective) = (program.graph, slopes[0], distance)
    if totalVariation != 0 {
      let smoothness = graph.apply(
        Multiply(), graph.constant(totalVariation),
        graph.totalVariation(x, channelsFirst: isChannelsFirst ?? network.isChannelsFirst))
      objective = graph.apply(Add(), objective, smoothness)
      slope = graph.apply(Add(), slope, graph.gradient(of: smoothness, in: [x])[0])
    }
    if let features, let map = program.featureMaps[features.node] {
      let gap = graph.relativeSquare(
        map.value, graph.input(Name.features, map.value.type, .parameter))
      let term = graph.apply(Multiply(), graph.constant(features.weight), gap)
      objective = graph.apply(Add(), objective, term)
      slope = graph.apply(Add(), slope, graph.gradient(of: term, in: [x])[0])
    }
    var result = Graph(withoutOutputsOf: graph)
    result.output(Name.objective, objective)
    result.output(Name.gradient, slope)
    return (result, x, slope, targetSlope)
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

extension Graph {
  /// The gradient of a scalar in values of which some may be one and the same.
  ///
  /// The shifts of two normalisations that meet in a sum have one gradient, for example. All that
  /// depends on it counts at its first place, so that nothing counts twice.
  mutating func slopes(of result: Value, in values: [Value]) -> [Value] {
    let slopes = gradient(of: result, in: values)
    var seen: Set<Value> = []
    return zip(values, slopes).map { value, slope in
      seen.insert(value).inserted ? slope : zero(value.type)
    }
  }

  /// The sum of the inner products of pairs of equal shape.
  mutating func total(_ pairs: [(Value, Value)]) -> Value {
    var total = constant(0)
    for (left, right) in pairs {
      let product = apply(Multiply(), left, right)
      let sum = apply(Reduce(.sum, axes: Array(left.type.shape.indices)), product)
      total = apply(Add(), total, sum)
    }
    return total
  }

  /// `‖a − b‖² / ‖b‖²`.
  mutating func relativeSquare(_ a: Value, _ b: Value) -> Value {
    let gap = apply(Subtract(), a, b)
    return apply(Divide(), total([(gap, gap)]), total([(b, b)]))
  }

  /// The mean absolute difference between neighbours along both spatial axes, summed over the axes.
  mutating func totalVariation(_ x: Value, channelsFirst: Bool) -> Value {
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
