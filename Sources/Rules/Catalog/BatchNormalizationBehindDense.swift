internal import AuditModel
internal import Networks
internal import Tensors

/// Reports a dense layer whose only reader is a batch normalisation.
///
/// Batch statistics make the output invariant to a shift of a unit, so the gradients of a unit sum
/// to zero over the batch. The bias gradient is that sum.
struct BatchNormalizationBehindDense: Rule {
  static let metadata = RuleMetadata(
    identifier: "batch-normalization-behind-dense",
    title: "A batch normalisation stands directly behind a dense layer",
    severity: .medium,
    evidence: .inconclusive,
    rationale: """
      In training mode the gradients of a unit sum to zero over the batch: the bias gradient is \
      rounding noise, quotients by it mean nothing, and the weight gradient depends on samples \
      only through their differences from the batch mean. With frozen statistics the \
      normalisation is a fixed scale and offset, and the layer leaks as if it were not there.
      """,
    formula: "Σᵢ z̄ᵢ = 0 per unit in training mode",
    remedy: """
      Find out whether the normalisation runs on batch statistics; if it is frozen, treat the \
      dense layer as if the normalisation were not there.
      """,
    remedyEffect:
      "Tells whether the closed form applies; it changes nothing about the leak itself.",
    sources: [.batchNormalization],
    examples: .init(
      passing: [
        Subject(
          "activation between", input: [16],
          [
            "hidden": Dense(outputs: 8), "relu": Activation(.relu), "norm": BatchNormalization(),
          ]),
        Subject(
          "in front", input: [16], ["norm": BatchNormalization(), "logits": Dense(outputs: 2)]),
      ],
      failing: [
        (
          Subject(
            "normalised perceptron", input: [16],
            [
              "hidden": Dense(outputs: 8), "norm": BatchNormalization(),
              "relu": Activation(.relu), "logits": Dense(outputs: 2),
            ]), "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.denseSites.compactMap { site in
      subject.batchNormalization(behind: site.node).map {
        finding(at: site, normalization: $0, in: subject)
      }
    }
  }

  private func finding(
    at site: DenseSite, normalization: String, in subject: Subject
  ) -> Finding {
    let path = subject.inputPath(to: site.node)
    let isGuess = subject.network.origin == .inferred
    let what = path == nil ? "its input features" : "the model input"
    let training =
      site.hasBias
      ? "the bias gradient of its \(site.outputs) units is rounding noise and quotients by it "
        + "mean nothing"
      : "the gradients of each of its \(site.outputs) units sum to zero over the batch"
    var preconditions = path.map { subject.preconditions(of: site, path: $0) } ?? []
    preconditions.append("The mode '\(normalization)' ran in is not known.")
    if isGuess {
      preconditions.append(
        "No activation lies between '\(site.name)' and '\(normalization)'; if one does, the layer "
          + "leaks as if the normalisation were not there.")
    }
    return self.finding(
      in: subject, at: site.name, severity: isGuess && path != nil ? .medium : .low,
      message: """
        '\(normalization)' stands directly behind '\(site.name)': on batch statistics \
        \(training); on frozen statistics one sample's gradient discloses \(what) \
        \(site.hasBias ? "exactly" : "up to a factor").
        """,
      measurements: subject.measurements(of: site), preconditions: preconditions)
  }
}
