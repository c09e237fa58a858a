internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a dense layer with a bias directly on the input.
///
/// For one sample `W̄ = z̄ xᵀ` and `b̄ = z̄`, so the input is a quotient of what the gradient holds.
struct InputFacingBiasedDense: Rule {
  static let metadata = RuleMetadata(
    identifier: "input-facing-biased-dense",
    title: "A dense layer with a bias reads the input directly",
    severity: .high,
    evidence: .structural,
    rationale: """
      For a batch of one sample the weight gradient is the outer product of the bias gradient and \
      the input, so the input is determined up to rounding. In a larger batch every unit whose \
      gradient comes from one sample alone, as happens behind ReLU, discloses that sample.
      """,
    formula: "x = W̄ᵀb̄ / ‖b̄‖²",
    remedy: """
      Aggregate securely before anybody sees the gradient of one client, or clip the gradient of \
      every sample and add noise to it.
      """,
    remedyEffect: """
      An aggregate behaves like a larger batch: units active on one sample alone still disclose \
      it. Noise turns the exact recovery into an estimate whose error grows with its ratio to \
      ‖b̄‖. Dropping the bias is not enough: the input stays known up to a factor.
      """,
    sources: [.invertingGradients, .additivelyHomomorphic],
    examples: .init(
      passing: [
        Subject("no bias", input: [784], ["first": Dense(outputs: 10, hasBias: false)]),
        Subject(
          "convolution first", input: [28, 28, 1],
          [
            "convolution": Convolution(filters: 8, kernel: [3, 3]), "flatten": Flatten(),
            "logits": Dense(outputs: 10),
          ]),
      ],
      failing: [
        (
          Subject(
            "batch normalisation behind", input: [784],
            ["hidden": Dense(outputs: 64), "norm": BatchNormalization()]), "hidden"
        ),
        (Subject("logistic regression", input: [784], ["logits": Dense(outputs: 10)]), "logits"),
        (
          Subject(
            "flattened image", input: [28, 28, 1],
            [
              "scale": Rescaling(scale: 1 / 255, offset: 0), "flatten": Flatten(),
              "hidden": Dense(outputs: 128), "relu": Activation(.relu),
              "logits": Dense(outputs: 10),
            ]), "hidden"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.denseNodesFacingInput
      .filter { $0.site.hasBias }
      .map { finding(at: $0.site, path: $0.path, in: subject) }
  }

  private func finding(at site: DenseSite, path: InputPath, in subject: Subject) -> Finding {
    var preconditions = subject.preconditions(of: site, path: path)
    preconditions.append("At least one unit of '\(site.name)' has a gradient other than zero.")
    let statement: String
    let severity: Severity
    if case .oncePerPosition(let positions) = site.use {
      severity = .medium
      let count = positions.map(String.init) ?? "several"
      statement = """
        The gradient of '\(site.name)' (\(site.size), bias) sums over \(count) positions of every \
        sample: a unit active at one position alone discloses \(site.allInputs) there.
        """
      preconditions.append("A unit's gradient comes from one position of one sample alone.")
    } else {
      let normalization = subject.batchNormalization(behind: site.node)
      severity = normalization == nil ? .high : .medium
      if let normalization {
        preconditions.append(
          "'\(normalization)' normalises by its running statistics (inference mode, frozen layers): on "
            + "batch statistics the bias gradient is rounding noise.")
      }
      let among = path.isMixedWithFeatures ? ", the model input among them," : ""
      statement = """
        The gradient of '\(site.name)' (\(site.size), bias) determines \(site.allInputs)\(among) of \
        a batch of one sample exactly; in a larger batch every unit active on one sample alone \
        discloses that sample.
        """
      preconditions.append(
        "The gradient comes from one sample, or a unit's gradient from one sample of its batch.")
    }
    return self.finding(
      in: subject, at: site.name, severity: severity,
      message: subject.reservation(capitalized: statement) + " " + subject.disclosure,
      measurements: subject.measurements(of: site), preconditions: preconditions)
  }
}
