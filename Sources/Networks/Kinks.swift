extension Network {
  /// Whether slopes jump somewhere, so that the gradient of a loss does too.
  ///
  /// A layer that is not known is taken to have kinks.
  public var hasKinks: Bool {
    nodes.contains { node in
      switch node.layer {
      case let activation as Activation: activation.function.hasKink
      case let recurrent as Recurrent:
        recurrent.activation.hasKink || recurrent.gateActivation.hasKink
      case let pooling as Pooling: pooling.statistic == .maximum
      case let merge as Merge: merge.operation == .maximum || merge.operation == .minimum
      case is CustomLayer: true
      default: false
      }
    }
  }
}

extension ActivationFunction {
  /// Whether the slope, or its slope, jumps.
  var hasKink: Bool {
    switch self {
    case .relu, .relu6, .leakyReLU, .hardSigmoid, .hardSiLU, .elu, .selu, .softsign, .unknown: true
    case .linear, .sigmoid, .tanh, .softplus, .silu, .exponential, .mish, .gelu, .softmax,
      .logSoftmax:
      false
    }
  }
}
