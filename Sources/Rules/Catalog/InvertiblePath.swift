internal import AuditModel
internal import Networks

/// Flags a path to the classifier on which no layer can lose anything.
struct InvertiblePath: Rule {
  private static let leastLayers = Threshold(
    "layers", 2, "layers with weights in front of the classifier, all of them without loss")

  static let metadata = RuleMetadata(
    identifier: "invertible-path",
    title: "Every layer in front of the classifier keeps as many values, invertibly",
    severity: .medium,
    evidence: .structural,
    rationale: """
      The gradient of the classifier gives the features of a single sample exactly. If every layer \
      in front of it has at least as many outputs as inputs and an activation that can be undone, \
      the features determine the input, layer by layer, without any further gradient.
      """,
    formula: "x = f₁⁻¹(… f_L⁻¹(h))",
    remedy: "Let layers narrow towards the classifier, with ReLU or pooling in between.",
    remedyEffect: "The features then leave open what was lost; the gradients may still tell it.",
    sources: [.dishonestServers, .recursiveAttack],
    thresholds: [leastLayers],
    examples: .init(
      passing: [
        stack("ReLU loses signs", .relu, widths: [16, 16, 16]),
        stack("narrowing", .tanh, widths: [16, 12, 8]),
        stack("one layer", .tanh, widths: [16]),
      ],
      failing: [
        (stack("square", .tanh, widths: [16, 16]), "logits"),
        (stack("widening", .leakyReLU(slope: 0.1), widths: [16, 24, 32]), "logits"),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    guard subject.network.origin == .declared else { return [] }
    return subject.denseNodesFacingOutput.compactMap { site, _ in
      guard let chain = subject.network.chain(to: site.node),
        let layers = layersWithoutLoss(chain, in: subject.network),
        Double(layers) >= value(of: Self.leastLayers, in: subject)
      else { return nil }
      return finding(
        in: subject, at: site.name,
        message: """
          All \(layers) layers with weights in front of '\(site.name)' keep as many values and can \
          be undone: the features that its gradient gives determine the input.
          """,
        measurements: [.init("layers without loss", "\(layers)")],
        preconditions: [
          "The gradient comes from one sample.",
          "The weights of every layer have full rank.",
        ])
    }
  }

  /// The number of layers with weights, if none of the chain loses anything.
  private func layersWithoutLoss(_ chain: [Int], in network: Network) -> Int? {
    var layers = 0
    for index in chain {
      let node = network.nodes[index]
      guard node.mismatch == nil else { return nil }
      switch node.layer {
      case is Dense, is Networks.Convolution:
        guard let inputs = node.inputShape?.elementCount,
          let outputs = node.outputShape?.elementCount, outputs >= inputs
        else { return nil }
        layers += 1
      case is BatchNormalization: break
      default:
        switch node.layer.treatment {
        case .unchanged, .unchangedAtInference, .affine: break
        case .elementwise(let function):
          guard function.isStrictlyIncreasing else { return nil }
        case .mixed: return nil
        }
      }
    }
    return layers
  }

  private static func stack(
    _ name: String, _ function: ActivationFunction, widths: [Int]
  ) -> Subject {
    var nodes: [Network.Node] = []
    for (index, width) in widths.enumerated() {
      nodes.append(
        Network.Node(
          name: "hidden\(index)", layer: Dense(outputs: width),
          sources: [index == 0 ? .input(0) : .node(nodes.count - 1)]))
      nodes.append(
        Network.Node(
          name: "function\(index)", layer: Activation(function), sources: [.node(nodes.count - 1)]))
    }
    nodes.append(
      Network.Node(name: "logits", layer: Dense(outputs: 4), sources: [.node(nodes.count - 1)]))
    return Subject(
      artifact: name, network: Network(name, inputShapes: [[16]], nodes: nodes))
  }
}

extension ActivationFunction {
  /// Whether every output belongs to one input.
  fileprivate var isStrictlyIncreasing: Bool {
    switch self {
    case .linear, .sigmoid, .tanh, .softplus, .softsign, .selu, .exponential: true
    case .leakyReLU(let slope): slope > 0
    case .elu(let alpha): alpha > 0
    default: false
    }
  }
}
