internal import Networks
internal import Tensors

/// A chain of dense layers and scalar functions that can be run forwards and backwards in `Double`.
///
/// The one kind of network whose whole gradient can be simulated here; anything else has no stack.
struct DenseStack {
  enum Step {
    case dense(node: Int, weights: Matrix, bias: [Double])
    case scalar(ActivationFunction)
    case affine(scale: Double, offset: Double)
  }

  /// One forward pass.
  struct Run {
    /// What enters each step, first to last, and at the end what leaves the last one.
    var values: [[Double]]
    /// Softmax of the output, or its sigmoid for a single output.
    var probabilities: [Double]
  }

  private(set) var steps: [Step] = []
  /// Whether the outputs are compared element by element (sigmoid) instead of by softmax.
  private(set) var isSigmoid = false
  private(set) var hasSquaredLoss = false

  /// - Returns: `nil` if the network is not such a chain or a weight is missing.
  init?(_ observation: Observation, activations: [Int: ActivationFunction] = [:]) {
    let network = observation.network
    guard network.inputShapes.count == 1 || network.origin == .inferred else { return nil }
    for (index, node) in network.nodes.enumerated() {
      guard node.sources == [index == 0 ? .input(0) : .node(index - 1)] else { return nil }
      if let dense = node.layer as? Dense {
        guard let weights = observation.weights.matrix(index) else { return nil }
        let bias = observation.weights.bias(index)
        guard bias != nil || !dense.hasBias, node.inputShape.map({ $0.count == 1 }) ?? true else {
          return nil
        }
        steps.append(
          .dense(
            node: index, weights: weights,
            bias: bias ?? [Double](repeating: 0, count: weights.outputs)))
        if let function = activations[index] { steps.append(.scalar(function)) }
        continue
      }
      if let activation = node.layer as? Activation, index == network.nodes.count - 1 {
        switch activation.function {
        case .softmax: continue
        case .sigmoid:
          isSigmoid = true
          continue
        default: break
        }
      }
      switch node.layer.treatment {
      case .unchanged: break
      case .unchangedAtInference: if observation.isTrainingMode == true { return nil }
      case .affine(let scale, let offset): steps.append(.affine(scale: scale, offset: offset))
      case .elementwise(let function): steps.append(.scalar(function))
      case .mixed: return nil
      }
    }
    guard
      case .dense(_, let last, _)? = steps.last(where: {
        if case .dense = $0 { true } else { false }
      })
    else { return nil }
    isSigmoid = isSigmoid || last.outputs == 1
    let loss = network.loss?.lowercased() ?? ""
    hasSquaredLoss = loss.contains("squared") || loss == "mse"
  }

  /// Number of model input values.
  var inputCount: Int? {
    for step in steps { if case .dense(_, let weights, _) = step { return weights.inputs } }
    return nil
  }

  /// - Returns: `nil` if a layer does not take what the one before gives.
  func run(_ input: [Double]) -> Run? {
    var values = [input]
    for step in steps {
      let x = values[values.count - 1]
      switch step {
      case .dense(_, let weights, let bias):
        guard weights.inputs == x.count, bias.count == weights.outputs else { return nil }
        values.append(zip(weights(x), bias).map { $0 + $1 })
      case .scalar(let function): values.append(x.map { function.value($0) ?? .nan })
      case .affine(let scale, let offset): values.append(x.map { scale * $0 + offset })
      }
    }
    let output = values[values.count - 1]
    guard output.allSatisfy(\.isFinite) else { return nil }
    let probabilities =
      isSigmoid
      ? output.map { ActivationFunction.sigmoid.value($0) ?? 0 } : Softmax.probabilities(output)
    return Run(values: values, probabilities: probabilities)
  }

  /// The gradient factors of every dense layer for the loss gradient `outputGradient` at the output.
  ///
  /// - Returns: for each dense node, `z̄` and the layer's input.
  func backward(_ run: Run, outputGradient: [Double]) -> [Int: (u: [Double], v: [Double])] {
    var factors: [Int: (u: [Double], v: [Double])] = [:]
    var gradient = outputGradient
    for (index, step) in steps.enumerated().reversed() {
      let x = run.values[index]
      switch step {
      case .dense(let node, let weights, _):
        factors[node] = (gradient, x)
        if index > 0 { gradient = weights.transposeProduct(gradient) }
      case .scalar(let function):
        gradient = zip(gradient, x).map { $0 * (function.slope($1) ?? .nan) }
      case .affine(let scale, _): gradient = gradient.map { $0 * scale }
      }
    }
    return factors
  }
}
