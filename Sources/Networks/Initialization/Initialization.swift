/// How the parameters of a new network are drawn.
public enum Initialization: String, Hashable, Sendable, CaseIterable {
  /// What PyTorch's layers do by themselves: weights and biases from `U(±1/√inputs)`.
  ///
  /// This is Kaiming uniform with `a = √5`; He et al., *Delving Deep into Rectifiers*, ICCV 2015.
  /// Attention's packed projection is drawn as in ``xavierUniform`` and its biases are zero.
  case pyTorch = "pytorch"
  /// `U(±1/2)` for every weight and bias; Zhu et al., *Deep Leakage from Gradients*, NeurIPS 2019.
  case uniform
  /// Convolutions from `N(0, 2 / (outputs · taps))`, the rest as in ``pyTorch``: ResNets.
  case kaimingNormal = "kaiming-normal"
  /// Convolutions as in ``kaimingNormal``, dense weights from `N(0, 0.01²)`, biases zero: VGG.
  case vgg
  /// Weights from `U(±√(6 / (inputs + outputs)))`, biases zero; Glorot & Bengio, AISTATS 2010.
  case xavierUniform = "xavier-uniform"
  /// Weights, positions and class tokens from `N(0, 0.02²)` cut at two deviations, biases zero: ViT.
  case truncatedNormal = "truncated-normal"

  /// The distribution of one parameter.
  ///
  /// `fans` are those of the parameter itself or, for a bias, of the weight of the same layer.
  func distribution(_ role: ParameterRole, rank: Int, fans: Fans) -> Distribution {
    switch role {
    case .scale: .constant(1)
    case .shift: .constant(0)
    case .runningMean: .constant(0)
    case .runningVariance: .constant(1)
    case .bias: bias(fans)
    case .weight: weight(isConvolution: rank > 2, fans)
    case .embeddings: self == .truncatedNormal ? .truncatedNormal(0.02) : .normal(1)
    case .other(let name): attention(name, fans)
    }
  }

  /// The projections of attention, and the learned tokens and positions that go with it.
  private func attention(_ name: String, _ fans: Fans) -> Distribution {
    if name.hasSuffix("weight") {
      let isPyTorch = self == .pyTorch || self == .kaimingNormal
      return isPyTorch && name == "in_proj_weight"
        ? Self.xavierUniform.weight(isConvolution: false, fans)
        : weight(isConvolution: false, fans)
    }
    guard name.hasSuffix("bias") else { return .truncatedNormal(0.02) }
    return self == .uniform ? .uniform(0.5) : .constant(0)
  }

  private func weight(isConvolution: Bool, _ fans: Fans) -> Distribution {
    let (inputs, outputs) = (Double(fans.inputs), Double(fans.outputs))
    return switch self {
    case .uniform: .uniform(0.5)
    case .kaimingNormal where isConvolution, .vgg where isConvolution:
      .normal((2 / outputs).squareRoot())
    case .pyTorch, .kaimingNormal: .uniform(1 / inputs.squareRoot())
    case .vgg: .normal(0.01)
    case .xavierUniform: .uniform((6 / (inputs + outputs)).squareRoot())
    case .truncatedNormal: .truncatedNormal(0.02)
    }
  }

  private func bias(_ fans: Fans) -> Distribution {
    switch self {
    case .uniform: .uniform(0.5)
    case .pyTorch, .kaimingNormal: .uniform(1 / Double(fans.inputs).squareRoot())
    case .vgg, .xavierUniform, .truncatedNormal: .constant(0)
    }
  }
}

/// How many products meet in one output of a layer, and how many outputs one input reaches.
struct Fans {
  var inputs: Int
  var outputs: Int

  /// - Parameter shape: That of the weight in the graph's axis order, `[taps…, inputs, outputs]`.
  init(weight shape: [Int]) {
    let taps = shape.dropLast(2).reduce(1, *)
    inputs = taps * (shape.dropLast().last ?? 1)
    outputs = taps * (shape.last ?? 1)
  }
}

/// What the elements of a parameter are drawn from.
enum Distribution: Hashable, Sendable {
  case constant(Double)
  /// Even between `−bound` and `bound`.
  case uniform(Double)
  /// Normal with mean 0 and this deviation.
  case normal(Double)
  /// The same, drawn again while beyond two deviations.
  case truncatedNormal(Double)

  func draw(_ count: Int, from stream: inout SplitMix64) -> [Double] {
    switch self {
    case .constant(let value): Array(repeating: value, count: count)
    case .uniform(let bound): (0..<count).map { _ in stream.uniform(-bound, bound) }
    case .normal(let deviation): (0..<count).map { _ in deviation * stream.normal() }
    case .truncatedNormal(let deviation):
      (0..<count).map { _ in
        var value = stream.normal()
        while abs(value) > 2 { value = stream.normal() }
        return deviation * value
      }
    }
  }
}
