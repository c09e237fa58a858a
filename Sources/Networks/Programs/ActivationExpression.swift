public import TensorIR

extension ActivationFunction {
  /// The function as a graph; `nil` for softmax, which is not scalar, and for unknown functions.
  ///
  /// At a kink the derivative is the one frameworks use: 0 for ReLU.
  public func expression(_ z: Value, in graph: inout Graph) -> Value? {
    switch self {
    case .linear: z
    case .relu: graph.apply(Maximum(), z, graph.zero(z.type))
    case .sigmoid: graph.apply(Logistic(), z)
    case .tanh: graph.apply(Tanh(), z)
    case .softplus: graph.softplus(z)
    case .silu: graph.apply(Multiply(), z, graph.apply(Logistic(), z))
    case .exponential: graph.apply(Exponential(), z)
    default: nil
    }
  }
}
