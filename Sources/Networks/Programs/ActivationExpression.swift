public import TensorIR

extension ActivationFunction {
  /// The function as a graph; `nil` for softmax, which is not scalar, and for unknown functions.
  ///
  /// At a kink the derivative is the one frameworks use: 0 for ReLU.
  public func expression(_ z: Value, in graph: inout Graph) -> Value? {
    switch self {
    case .linear: z
    case .relu: graph.apply(Maximum(), z, graph.zero(z.type))
    case .relu6: graph.clamped(z, to: 6)
    case .leakyReLU(let slope): graph.pieces(z, negative: graph.scaled(z, by: slope))
    case .elu(let alpha): graph.exponentialUnit(z, alpha: alpha)
    case .selu:
      graph.scaled(graph.exponentialUnit(z, alpha: Self.seluAlpha), by: Self.seluScale)
    case .sigmoid: graph.apply(Logistic(), z)
    case .hardSigmoid: graph.hardSigmoid(z)
    case .hardSiLU: graph.apply(Multiply(), z, graph.hardSigmoid(z))
    case .tanh: graph.apply(Tanh(), z)
    case .softplus: graph.softplus(z)
    case .softsign: graph.apply(Divide(), z, graph.shifted(graph.apply(Abs(), z), by: 1))
    case .silu: graph.apply(Multiply(), z, graph.apply(Logistic(), z))
    case .mish: graph.apply(Multiply(), z, graph.apply(Tanh(), graph.softplus(z)))
    case .exponential: graph.apply(Exponential(), z)
    case .gelu(let approximate): graph.gelu(z, approximate: approximate)
    case .softmax, .logSoftmax, .unknown: nil
    }
  }
}

extension Graph {
  /// `z` where it is positive, else `negative`.
  fileprivate mutating func pieces(_ z: Value, negative: Value) -> Value {
    apply(Select(), apply(Compare(.greater), z, zero(z.type)), z, negative)
  }

  /// `z` between 0 and `top`; flat at both.
  fileprivate mutating func clamped(_ z: Value, to top: Double) -> Value {
    apply(Minimum(), apply(Maximum(), z, zero(z.type)), constant(top, z.type))
  }

  /// `z / 6 + 1/2` between 0 and 1.
  fileprivate mutating func hardSigmoid(_ z: Value) -> Value {
    clamped(shifted(scaled(z, by: 1 / 6), by: 0.5), to: 1)
  }

  /// `α(eᶻ − 1)` below zero.
  ///
  /// A positive `z` never meets the exponential, which would overflow; at zero the clamp passes the
  /// slope on.
  fileprivate mutating func exponentialUnit(_ z: Value, alpha: Double) -> Value {
    let clamped = apply(Minimum(), zero(z.type), z)
    return pieces(z, negative: scaled(apply(ExponentialMinusOne(), clamped), by: alpha))
  }

  fileprivate mutating func gelu(_ z: Value, approximate: Bool) -> Value {
    let gate: Value
    if approximate {
      let cube = apply(Multiply(), z, apply(Multiply(), z, z))
      let inner = apply(Add(), z, scaled(cube, by: 0.044715))
      gate = apply(Tanh(), scaled(inner, by: ActivationFunction.geluScale))
    } else {
      gate = apply(Erf(), scaled(z, by: 0.5.squareRoot()))
    }
    return apply(Multiply(), scaled(z, by: 0.5), shifted(gate, by: 1))
  }
}
