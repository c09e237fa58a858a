public import TensorIR

/// A network's loss with its gradient, as a graph that can be differentiated again.
///
/// Outputs: `loss`, and `gradient/NODE/ROLE` per trainable parameter in the graph's axis order.
public struct GradientGraph: Sendable {
  /// A trainable parameter and the gradient of the loss in it.
  public struct Parameter: Sendable {
    public let parameter: GraphParameter
    public let gradient: Value

    public var key: ParameterTable.Key { parameter.key }
    public var value: Value { parameter.value }
  }

  public var graph: Graph
  /// One per model input.
  public let inputs: [Value]
  /// The labels as the loss wants them.
  public let target: Value
  /// What each node computes.
  public let featureMaps: [Int: FeatureMap]
  /// What the network gives, as its last layer computes it.
  public let output: Value
  public let loss: Value
  /// Trainable parameters with their gradients.
  public let parameters: [Parameter]
  /// Parameters that no gradient exists for, such as running statistics.
  public let constants: [GraphParameter]

  /// Appends the derivative of the loss in the inputs; zero for one of whole numbers.
  public mutating func inputGradients() -> [Value] {
    let real = inputs.filter { $0.type.element == .real }
    var gradients = graph.gradient(of: loss, in: real)
    return inputs.map { input in
      input.type.element == .real ? gradients.removeFirst() : graph.zero(input.type)
    }
  }

  /// Appends `(∂²L/∂x∂θ) v`, by one pushforward of the input gradient along the parameters.
  ///
  /// - Parameter directions: One per entry of ``parameters``.
  /// - Returns: One value per input, of the input's shape.
  public mutating func mixedProduct(along directions: [Value]) -> [Value] {
    mixedProducts(along: directions).inputs
  }

  /// The same, and `(∂²L/∂y∂θ) v` for the target `y`.
  public mutating func mixedProducts(
    along directions: [Value]
  ) -> (inputs: [Value], target: Value) {
    let gradients = inputGradients() + graph.gradient(of: loss, in: [target])
    let moved = Dictionary(
      uniqueKeysWithValues: zip(parameters.map(\.value), directions))
    var products = zip(gradients, graph.pushforward(of: gradients, along: moved)).map {
      $1 ?? graph.zero($0.type)
    }
    let own = products.removeLast()
    return (products, own)
  }
}

extension Network {
  /// Builds the loss of a batch and its gradient in every trainable parameter.
  ///
  /// A loss over probabilities behind a softmax or a sigmoid that ends the network is computed from
  /// the logits in front of it.
  ///
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func gradientGraph(
    samples: Int, loss: Loss, mode: ForwardPass.Mode = .inference
  ) throws(UnsupportedLayer) -> GradientGraph {
    let last = try soleOutput()
    let forward = try graph(samples: samples, mode: mode, upTo: last)
    guard let output = forward.featureMaps[last] else {
      preconditionFailure("the last node was built")
    }
    var graph = forward.graph
    let result = output.declared(in: &graph)
    let logits = logits(of: last, under: loss, forward)?.declared(in: &graph) ?? result
    let target = graph.input("target", result.type, .argument)
    let value = loss.value(logits, target: target, in: &graph)
    let trainable = forward.trainable
    let gradients = graph.gradient(of: value, in: trainable.map(\.value))
    graph.output("loss", value)
    for (parameter, gradient) in zip(trainable, gradients) {
      graph.output("gradient/" + parameter.name, gradient)
    }
    return GradientGraph(
      graph: graph, inputs: forward.inputs, target: target,
      featureMaps: forward.featureMaps, output: result, loss: value,
      parameters: zip(trainable, gradients).map {
        GradientGraph.Parameter(parameter: $0, gradient: $1)
      },
      constants: forward.parameters.filter { !$0.key.role.isTrainable })
  }

  /// What enters the activation at node `last`, if it is the link function of the loss.
  private func logits(of last: Int, under loss: Loss, _ forward: NetworkGraph) -> FeatureMap? {
    guard let activation = nodes[last].layer as? Activation, let link = loss.link,
      activation.function == link
    else { return nil }
    switch nodes[last].sources[0] {
    case .input(let index): return FeatureMap(forward.inputs[index])
    case .node(let before): return forward.featureMaps[before]
    }
  }
}
