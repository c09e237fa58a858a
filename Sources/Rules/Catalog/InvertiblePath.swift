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
      the features determine the input, layer by layer, without any further gradient. The same \
      holds for blocks that add to one half what a branch computes of the other.
      """,
    formula: "x = f₁⁻¹(… f_L⁻¹(h)),  and x₂ = y₂ − G(y₁), x₁ = y₁ − F(x₂) in a reversible block",
    remedy: "Let layers narrow towards the classifier, with ReLU or pooling in between.",
    remedyEffect: "The features then leave open what was lost; the gradients may still tell it.",
    sources: [.dishonestServers, .recursiveAttack],
    thresholds: [leastLayers],
    examples: .init(
      passing: [
        stack("ReLU loses signs", .relu, widths: [16, 16, 16]),
        stack("narrowing", .tanh, widths: [16, 12, 8]),
        stack("one layer", .tanh, widths: [16]),
        reversible("residual block", isCoupled: false),
      ],
      failing: [
        (stack("square", .tanh, widths: [16, 16]), "logits"),
        (stack("widening", .leakyReLU(slope: 0.1), widths: [16, 24, 32]), "logits"),
        (reversible("reversible block", isCoupled: true), "logits"),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    guard subject.network.origin == .declared else { return [] }
    let depths = subject.network.weighedDepths
    return subject.denseNodesFacingOutput.compactMap { site, _ in
      let layers = depths[site.node] - 1
      guard Double(layers) >= value(of: Self.leastLayers, in: subject),
        Determination(subject.network, from: site.node).reachesInput
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

  /// Two halves of which each gets what a ReLU branch computes of the other; or, not coupled, of
  /// itself.
  private static func reversible(_ name: String, isCoupled: Bool) -> Subject {
    let nodes = [
      Network.Node(name: "halves", layer: Reshape(target: [2, 8]), sources: [.input(0)]),
      Network.Node(name: "first", layer: Selection(axis: 0, index: 0), sources: [.node(0)]),
      Network.Node(name: "second", layer: Selection(axis: 0, index: 1), sources: [.node(0)]),
      Network.Node(
        name: "f", layer: Dense(outputs: 8), sources: [.node(isCoupled ? 2 : 1)]),
      Network.Node(name: "relu1", layer: Activation(.relu), sources: [.node(3)]),
      Network.Node(name: "sum1", layer: Merge(.add), sources: [.node(1), .node(4)]),
      Network.Node(name: "g", layer: Dense(outputs: 8), sources: [.node(5)]),
      Network.Node(name: "relu2", layer: Activation(.relu), sources: [.node(6)]),
      Network.Node(name: "sum2", layer: Merge(.add), sources: [.node(2), .node(7)]),
      Network.Node(
        name: "join", layer: Merge(.concatenate(axis: -1)), sources: [.node(5), .node(8)]),
      Network.Node(name: "logits", layer: Dense(outputs: 4), sources: [.node(9)]),
    ]
    return Subject(artifact: name, network: Network(name, inputShapes: [[16]], nodes: nodes))
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
