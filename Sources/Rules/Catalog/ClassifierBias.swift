internal import AuditModel
internal import Networks

/// Flags a bias in the layer that computes the classes.
struct ClassifierBias: Rule {
  static let metadata = RuleMetadata(
    identifier: "classifier-bias",
    title: "The classifier has a bias",
    severity: .low,
    evidence: .structural,
    rationale: """
      Behind softmax or sigmoid cross-entropy the gradient of the classifier's bias is the mean of \
      probability minus label over the batch. For one sample its only negative entry is the label; \
      in a batch every negative entry is a class that is present, and the counts follow from the \
      mean probabilities.
      """,
    formula: "b̄_c = (1/B) Σᵢ (pᵢ_c − [yᵢ = c]),  n_c = B (p̄_c − b̄_c)",
    remedy: "Drop the bias of the classifier, and share gradients of large, mixed batches only.",
    remedyEffect: """
      Without the bias the label of one sample still follows from the signs of the classifier's \
      weight gradient where its features are not negative; in batches the counts become estimates. Only noise or secure aggregation \
      hides which classes one client holds.
      """,
    sources: [.improvedDeepLeakage, .labelRestoration],
    examples: .init(
      passing: [
        Subject("no bias", input: [64], ["logits": Dense(outputs: 10, hasBias: false)]),
        Subject(
          "convolution last", input: [8, 8, 1], ["map": Convolution(filters: 1, kernel: [3])]),
        Subject(
          "hidden layer", input: [64],
          ["hidden": Dense(outputs: 10), "relu": Activation(.relu)]),
      ],
      failing: [
        (
          Subject(
            "softmax", input: [64],
            ["logits": Dense(outputs: 10), "softmax": Activation(.softmax)]), "logits"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    guard !losesClasses(subject.network.loss) else { return [] }
    return subject.denseNodesFacingOutput
      .filter { $0.site.hasBias }
      .map { finding(at: $0.site, activation: $0.activation, in: subject) }
  }

  private func finding(
    at site: DenseSite, activation: ActivationFunction?, in subject: Subject
  ) -> Finding {
    let perUnit = activation == .sigmoid || site.outputs == 1
    let link = perUnit ? "sigmoid" : "softmax"
    var preconditions = [
      "The loss is \(link) cross-entropy with hard labels, averaged over samples."
    ]
    if perUnit, site.outputs > 1 {
      preconditions.append(
        "Where the loss also averages over units, entries carry a further 1/\(site.outputs).")
    }
    if subject.network.origin == .inferred {
      preconditions.append("'\(site.name)' is the classifier, which only its place suggests.")
    }
    if case .oncePerPosition = site.use {
      preconditions.append("Labels are given per position; counts are then counts of positions.")
    }
    let single =
      if site.outputs == 1 {
        "its sign is the label of a single sample"
      } else if perUnit {
        "its negative entries are the labels of a single sample"
      } else {
        "its only negative entry is the label of a single sample"
      }
    let batch =
      site.outputs == 1
      ? "it bounds how many samples of a batch have the label"
      : "in a batch a negative entry proves its class present"
    return self.finding(
      in: subject, at: site.name,
      message: """
        The bias gradient of '\(site.name)' (\(site.outputs) \
        \(site.outputs == 1 ? "unit" : "units")) is probability minus label: \(single), and \
        \(batch).
        """,
      measurements: [.init("units", "\(site.outputs)")], preconditions: preconditions)
  }

  /// Whether the named loss compares numbers rather than classes.
  private func losesClasses(_ loss: String?) -> Bool {
    guard let loss = loss?.lowercased().replacing("_", with: "") else { return false }
    let regressions = ["squarederror", "absolute", "mse", "mae", "huber", "logcosh", "poisson"]
    return regressions.contains { loss.contains($0) }
  }
}
