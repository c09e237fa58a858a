internal import AuditModel
internal import Networks

/// Flags a dense layer without a bias directly on the input.
///
/// For one sample `W̄ = z̄ xᵀ` has rank one, so its leading singular pair is the input up to a factor.
struct InputFacingUnbiasedDense: Rule {
  static let metadata = RuleMetadata(
    identifier: "input-facing-unbiased-dense",
    title: "A dense layer without a bias reads the input directly",
    severity: .medium,
    evidence: .structural,
    rationale: """
      For a batch of one sample the weight gradient has rank one, and its row space is the input: \
      everything but its length and sign is known. The layers behind often fix the factor, because \
      the forward pass must reproduce what their own gradients say.
      """,
    formula: "W̄ = z̄ xᵀ, known up to x → α x, z̄ → z̄ / α",
    remedy: """
      Aggregate securely before anybody sees the gradient of one client, or clip the gradient of \
      every sample and add noise to it.
      """,
    remedyEffect: """
      In the sum over many samples the row space is a mixture of their inputs. Its rank still \
      bounds the number of samples from below, and units active on one sample alone still disclose \
      its direction.
      """,
    sources: [.additivelyHomomorphic, .recursiveAttack],
    examples: .init(
      passing: [
        Subject("bias", input: [784], ["first": Dense(outputs: 10)]),
        Subject(
          "activation in front", input: [16],
          ["tanh": Activation(.tanh), "first": Dense(outputs: 4, hasBias: false)]),
      ],
      failing: [
        (
          Subject(
            "perceptron", input: [784],
            [
              "hidden": Dense(outputs: 32, hasBias: false), "sigmoid": Activation(.sigmoid),
              "logits": Dense(outputs: 10),
            ]), "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.denseNodesFacingInput
      .filter { !$0.site.hasBias && subject.batchNormalization(behind: $0.site.node) == nil }
      .map { finding(at: $0.site, path: $0.path, in: subject) }
  }

  private func finding(at site: DenseSite, path: InputPath, in subject: Subject) -> Finding {
    var preconditions = subject.preconditions(of: site, path: path)
    let statement: String
    let severity: Severity
    if case .oncePerPosition(let positions) = site.use {
      severity = .low
      let count = positions.map(String.init) ?? "several"
      statement = """
        The gradient of '\(site.name)' (\(site.size), no bias) sums over \(count) positions of \
        every sample: its row space holds a mixture of their inputs.
        """
      preconditions.append("More units have a gradient than positions contribute to it.")
    } else {
      severity = .medium
      let among = path.isMixedWithFeatures ? ", the model input among them," : ""
      statement = """
        The gradient of '\(site.name)' (\(site.size), no bias) determines \
        \(site.allInputs)\(among) of a batch of one sample up to one common factor, which the \
        layers behind it often fix.
        """
      preconditions.append("The gradient comes from one sample and is not zero.")
    }
    return self.finding(
      in: subject, at: site.name, severity: severity,
      message: subject.reservation(capitalized: statement) + " " + subject.disclosure,
      measurements: subject.measurements(of: site), preconditions: preconditions)
  }
}
