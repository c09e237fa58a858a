internal import AuditModel
internal import Networks

/// Flags a merge that joins the model input with features from far behind it.
struct InputSkipToLateLayer: Rule {
  private static let leastDepth = Threshold(
    "depth", 2, "layers with weights that the other side of the merge has passed")

  static let metadata = RuleMetadata(
    identifier: "input-skip-to-late-layer",
    title: "The input skips to a late layer",
    concern: .manipulation,
    severity: .medium,
    evidence: .structural,
    rationale: """
      Concatenated or added to late features, the input meets the dense layers at the end of the \
      network, whose gradients determine what enters them. All layers in between protect nothing \
      then.
      """,
    formula: "z = W [f(x); x] + b, so that W̄ holds z̄ xᵀ",
    remedy: "Remove the connection from the input, or join it in front of the first layer.",
    remedyEffect: "Late gradients then disclose features only.",
    sources: [.dishonestServers],
    thresholds: [leastDepth],
    knownErrors: """
      Architectures that feed their input again on purpose, such as wide-and-deep models and \
      U-shaped networks; the input is exposed in them all the same.
      """,
    examples: .init(
      passing: [
        skip("around one layer", layers: 1, .concatenate(axis: -1)),
        Subject(
          "no skip", input: [16], ["hidden": Dense(outputs: 16), "logits": Dense(outputs: 2)]),
      ],
      failing: [
        (skip("concatenated", layers: 3, .concatenate(axis: -1)), "join"),
        (skip("added", layers: 2, .add), "join"),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let depths = subject.network.weighedDepths
    let least = value(of: Self.leastDepth, in: subject)
    return subject.network.nodes.enumerated().compactMap { index, node in
      guard node.layer is Merge, node.sources.count >= 2,
        node.sources.contains(where: { arrivesUnchanged($0, in: subject) })
      else { return nil }
      let depth =
        node.sources.map { source -> Int in
          if case .node(let before) = source, before < index { depths[before] } else { 0 }
        }.max() ?? 0
      guard Double(depth) >= least else { return nil }
      return finding(
        in: subject, at: node.name,
        message: """
          '\(node.name)' joins the model input with features that passed \(depth) layers with \
          weights: what reads them next has the input in its gradient.
          """,
        measurements: [.init("layers skipped", "\(depth)")],
        preconditions: ["A layer with weights reads the merged values."])
    }
  }

  private func arrivesUnchanged(_ source: Network.Source, in subject: Subject) -> Bool {
    guard case .node(let before) = source else { return true }
    let node = subject.network.nodes[before]
    return node.passesElementsOn && !(node.layer is Merge) && subject.inputPath(to: before) != nil
  }

  private static func skip(
    _ name: String, layers: Int, _ operation: Merge.Operation
  ) -> Subject {
    var nodes: [Network.Node] = []
    for index in 0..<layers {
      nodes.append(
        Network.Node(
          name: "hidden\(index)", layer: Dense(outputs: 16),
          sources: [index == 0 ? .input(0) : .node(index - 1)]))
    }
    nodes.append(
      Network.Node(
        name: "join", layer: Merge(operation), sources: [.node(layers - 1), .input(0)]))
    nodes.append(
      Network.Node(name: "logits", layer: Dense(outputs: 2), sources: [.node(layers)]))
    return Subject(
      artifact: name, network: Network(name, inputShapes: [[16]], nodes: nodes))
  }
}
