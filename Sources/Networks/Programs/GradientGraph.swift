public import TensorIR

/// A network's loss with its gradient, as a graph that can be differentiated again.
///
/// Outputs: `loss`, and `gradient/NODE/ROLE` per trainable parameter in the graph's axis order.
public struct GradientGraph: Sendable {
  public var graph: Graph
  /// One per model input.
  public let inputs: [Value]
  /// The labels as the loss wants them.
  public let target: Value
  public let loss: Value
  /// Trainable parameters with their gradients.
  public let parameters: [(key: ParameterTable.Key, value: Value, gradient: Value)]

  /// Appends the derivative of the loss in the inputs.
  public mutating func inputGradients() -> [Value] { graph.gradient(of: loss, in: inputs) }

  /// Appends `(∂²L/∂x∂θ) v`, by one pushforward of the input gradient along the parameters.
  ///
  /// - Parameter directions: One per entry of ``parameters``.
  /// - Returns: One value per input, of the input's shape.
  public mutating func mixedProduct(along directions: [Value]) -> [Value] {
    let gradients = inputGradients()
    let moved = Dictionary(
      uniqueKeysWithValues: zip(parameters.map(\.value), directions))
    return zip(gradients, graph.pushforward(of: gradients, along: moved)).map {
      $1 ?? graph.zero($0.type)
    }
  }
}

extension Network {
  /// Builds the loss of a batch and its gradient in every trainable parameter.
  ///
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func gradientGraph(
    samples: Int, loss: Loss, mode: ForwardPass.Mode = .inference
  ) throws(UnsupportedLayer) -> GradientGraph {
    let last = nodes.count - 1
    let forward = try graph(samples: samples, mode: mode)
    guard let output = forward.featureMaps[last] else {
      preconditionFailure("the last node was built")
    }
    var graph = forward.graph
    let result = output.declared(in: &graph)
    let target = graph.input("target", result.type, .argument)
    let value = loss.value(result, target: target, in: &graph)
    let trainable = forward.trainable
    let gradients = graph.gradient(of: value, in: trainable.map(\.value))
    graph.output("loss", value)
    for (parameter, gradient) in zip(trainable, gradients) {
      graph.output(
        "gradient/" + ForwardPass.inputName(nodes[parameter.key.node].name, parameter.key.role),
        gradient)
    }
    return GradientGraph(
      graph: graph, inputs: forward.inputs, target: target, loss: value,
      parameters: zip(trainable, gradients).map { ($0.key, $0.value, $1) })
  }
}
