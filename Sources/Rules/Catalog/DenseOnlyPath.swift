internal import AuditModel
internal import Networks

/// Flags a way from input to output that holds dense layers and scalar activations only.
///
/// Each layer's input gradient is computable from the layer above, so the recovery descends to the
/// model input whether or not the layers have biases.
struct DenseOnlyPath: Rule {
  static let metadata = RuleMetadata(
    identifier: "dense-only-path",
    title: "Only dense layers lie between input and output",
    severity: .medium,
    evidence: .structural,
    rationale: """
      Knowing the input of one dense layer and the gradient of its output gives the gradient of \
      the output below, and with it the input below. From the loss this chain walks through any \
      stack of dense layers down to the model input; biases are not needed on the way.
      """,
    formula: "z̄ₗ = (Aₗ₊₁ᵀ z̄ₗ₊₁) ⊙ φ′(zₗ),  xₗ = W̄ₗᵀ z̄ₗ / ‖z̄ₗ‖²",
    remedy: """
      Aggregate securely before anybody sees the gradient of one client, or clip the gradient of \
      every sample and add noise to it.
      """,
    remedyEffect: """
      In a batch the gradients of the samples add up, and the chain starts only for samples that \
      have a unit of their own. Removing biases does not interrupt it.
      """,
    sources: [.invertingGradients, .recursiveAttack],
    examples: .init(
      passing: [
        Subject("one dense layer", input: [784], ["logits": Dense(outputs: 10)]),
        Subject(
          "pooling between", input: [28, 28],
          [
            "first": Dense(outputs: 8), "pool": Pooling(.average),
            "logits": Dense(outputs: 10),
          ]),
      ],
      failing: [
        (
          Subject(
            "no biases", input: [784],
            [
              "hidden": Dense(outputs: 32, hasBias: false), "sigmoid": Activation(.sigmoid),
              "logits": Dense(outputs: 10, hasBias: false), "softmax": Activation(.softmax),
            ]), "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let paths = subject.network.nodes.indices
      .filter { subject.network.isLast($0) }
      .compactMap { densePath(to: $0, in: subject) }
    return paths.sorted { $0[0].node < $1[0].node }.map { finding(on: $0, in: subject) }
  }

  private func finding(on path: [DenseSite], in subject: Subject) -> Finding {
    let first = path[0]
    let speaksTwice = first.hasBias
    var preconditions = ["The gradient comes from one sample and is not zero."]
    if let way = subject.inputPath(to: first.node) {
      preconditions = subject.preconditions(of: first, path: way) + preconditions
    }
    if subject.network.origin == .inferred {
      preconditions.append("Nothing but scalar activations and reshaping lies between the layers.")
    }
    if let last = path.last, !last.hasBias {
      preconditions.append(
        "The loss fixes the scale of the input of '\(last.name)', as softmax cross-entropy does.")
    }
    let inputs = first.inputs.map { "the \($0) input values" } ?? "the input"
    let statement = """
      Only \(path.count) dense layers lie between input and output, so the gradient of one sample \
      can be followed from the loss to \(inputs) of '\(first.name)'.
      """
    return self.finding(
      in: subject, at: first.name, severity: speaksTwice ? .info : .medium,
      message: subject.reservation(capitalized: statement) + " " + subject.disclosure,
      measurements: [.init("dense layers", "\(path.count)")]
        + subject.measurements(of: first),
      preconditions: preconditions)
  }

  /// The dense layers from a model input to the output node `last`, if nothing else lies between.
  private func densePath(to last: Int, in subject: Subject) -> [DenseSite]? {
    let network = subject.network
    guard let chain = network.chain(to: last),
      chain.allSatisfy({ network.consumers(of: $0).count == 1 })
    else { return nil }
    var path: [DenseSite] = []
    for index in chain + [last] {
      if let site = subject.denseSite(index) {
        if case .oncePerPosition = site.use { return nil }
        path.append(site)
      } else if !letsGradientThrough(index, behind: path.last, isOutput: index == last, network) {
        return nil
      }
    }
    guard path.count >= 2, subject.inputPath(to: path[0].node) != nil else { return nil }
    return path
  }

  /// Whether the slope of a layer follows from its output, or is not needed because the bias
  /// gradient of the dense layer in front is what it would give.
  private func letsGradientThrough(
    _ index: Int, behind dense: DenseSite?, isOutput: Bool, _ network: Network
  ) -> Bool {
    let node = network.nodes[index]
    guard node.mismatch == nil, node.sources.count == 1, !(node.layer is Dense) else {
      return false
    }
    switch node.layer.treatment {
    case .unchanged, .unchangedAtInference, .affine: return true
    case .elementwise(let function):
      return isOutput || dense?.hasBias == true || function.slope(atOutput: 0.5) != nil
    case .mixed: return isOutput && (node.layer as? Activation)?.function == .softmax
    }
  }
}
