internal import AuditModel
internal import Networks

/// Flags a wide dense layer on a whole picture with convolutions behind it.
struct DenseBlockAtInput: Rule {
  private static let leastUnits = Threshold(
    "units", 64,
    "units of a dense layer that reads a picture, or a map of a quarter of its values or more behind at "
      + "most one convolution, in front of further convolutions")

  static let metadata = RuleMetadata(
    identifier: "dense-block-at-input",
    title: "A wide dense layer reads a picture in front of convolutions",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      Convolutions exist so that no layer has to connect every pixel with every unit. A dense layer \
      on the whole picture that leads back to a picture has no use in front of them but one: its \
      gradient holds the picture. The inserted module of the cited attacks is such a layer with \
      hundreds of units and another one back to as many values as the picture has.
      """,
    formula: "n → K → n → convolutions",
    remedy: "Remove the dense layers in front of the convolutions, or refuse the model.",
    remedyEffect: "What the first gradient discloses is then limited by the convolutions.",
    sources: [.robbingTheFed, .loki, .dishonestServers],
    thresholds: [leastUnits],
    examples: .init(
      passing: [
        Subject(
          "dense behind convolutions", input: [8, 8, 3],
          [
            "conv": Convolution(filters: 8, kernel: [3, 3]), "flat": Flatten(),
            "hidden": Dense(outputs: 128), "logits": Dense(outputs: 10),
          ]),
        Subject(
          "autoencoder", input: [8, 8, 3],
          [
            "conv1": Convolution(filters: 8, kernel: [3, 3], padding: .same),
            "conv2": Convolution(filters: 8, kernel: [3, 3], padding: .same), "flat": Flatten(),
            "code": Dense(outputs: 64), "spread": Dense(outputs: 192),
            "picture": Reshape(target: [8, 8, 3]),
            "conv3": Convolution(filters: 3, kernel: [3, 3], padding: .same),
          ]),
        Subject(
          "picture from a code", input: [32],
          [
            "hidden": Dense(outputs: 192), "picture": Reshape(target: [8, 8, 3]),
            "conv": Convolution(filters: 3, kernel: [3, 3]),
          ]),
        Subject(
          "perceptron", input: [8, 8, 3],
          ["flat": Flatten(), "hidden": Dense(outputs: 128), "logits": Dense(outputs: 10)]),
      ],
      failing: [
        (
          Subject(
            "inserted module", input: [8, 8, 3],
            [
              "flat": Flatten(), "bins": Dense(outputs: 128), "relu": Activation(.relu),
              "back": Dense(outputs: 192), "picture": Reshape(target: [8, 8, 3]),
              "conv": Convolution(filters: 8, kernel: [3, 3]), "flat2": Flatten(),
              "logits": Dense(outputs: 10),
            ]), "bins"
        ),
        (
          Subject(
            "behind one convolution", input: [8, 8, 3],
            [
              "front": Convolution(filters: 3, kernel: [3, 3], padding: .same),
              "flat": Flatten(), "bins": Dense(outputs: 128), "relu": Activation(.relu),
              "back": Dense(outputs: 192), "picture": Reshape(target: [8, 8, 3]),
              "conv": Convolution(filters: 8, kernel: [3, 3]), "flat2": Flatten(),
              "logits": Dense(outputs: 10),
            ]), "bins"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let pictures = subject.network.inputShapes.filter { $0.count >= 2 }
    guard let values = pictures.compactMap(\.elementCount).max() else { return [] }
    let depths = subject.network.weighedDepths
    // What lies behind the first such layer is part of the block.
    let findings = subject.denseSites.lazy.compactMap { site -> Finding? in
      guard Double(site.outputs) >= value(of: Self.leastUnits, in: subject),
        case .oncePerSample = site.use, let inputs = site.inputs, inputs >= values / 4,
        depths[site.node] <= 2,
        let convolution = convolution(behind: site.node, in: subject.network)
      else { return nil }
      let path = subject.inputPath(to: site.node)
      return self.finding(
        in: subject, at: site.name, severity: path == nil ? .medium : .high,
        message: """
          '\(site.name)' (\(site.size)) reads \(path == nil ? "nearly " : "")the whole picture in \
          front of '\(convolution)', which needs no such layer: its gradient holds \
          \(path == nil ? "what one layer makes of the input" : "the input").
          """,
        measurements: subject.measurements(of: site),
        preconditions: (path.map { subject.preconditions(of: site, path: $0) } ?? []) + [
          "A gradient or an update of this model is seen."
        ])
    }
    return Array(findings.prefix(1))
  }

  /// The first convolution that reads what comes out of node `index`.
  private func convolution(behind index: Int, in network: Network) -> String? {
    var reached = [Bool](repeating: false, count: network.nodes.count)
    reached[index] = true
    for (later, node) in network.nodes.enumerated().dropFirst(index + 1) {
      reached[later] = node.sources.contains {
        if case .node(let before) = $0, before < later { reached[before] } else { false }
      }
      if reached[later], node.layer is Networks.Convolution { return node.name }
    }
    return nil
  }
}
