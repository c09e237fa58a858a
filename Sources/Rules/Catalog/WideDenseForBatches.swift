internal import AuditModel
internal import Networks

/// Flags an input-facing dense layer in front of ReLU with so many units that samples of a batch
/// keep units of their own.
///
/// With independent units that are on for a fraction q of the samples, m·q·(1 − q)^(B−1) units
/// belong to a given sample alone. At q = 1/2, an untrained layer, that is one unit for B = log₂ m.
/// 256 units therefore expose batches of 8, the smallest batches common in training; the second
/// condition, at least as many units as inputs and no fewer than 64, adds layers whose output
/// also determines the input in the forward direction. Trained layers are sparser and expose more:
/// at q = 1/10 the same 256 units last up to B = 31.
struct WideDenseForBatches: Rule {
  static let metadata = RuleMetadata(
    identifier: "wide-dense-for-batches",
    title: "A wide dense layer with ReLU reads the input directly",
    severity: .medium,
    evidence: .structural,
    rationale: """
      A ReLU unit that is on for one sample of a batch only has the gradient of that sample alone, \
      so its row of the weight gradient divided by its bias gradient is that sample. The more \
      units, the larger the batch in which a sample still has a unit of its own: about log₂ m \
      samples for m units that are on half the time, and more where units are on less often.
      """,
    formula: "m q (1 − q)^(B−1) ≥ 1,  at q = 1/2: B ≤ log₂ m",
    remedy: """
      Put fewer units, or an activation that is never off such as tanh, on the input, and raise \
      the batch size well above log₂ of the number of units.
      """,
    remedyEffect: """
      Fewer samples keep a unit of their own. A batch of one stays exact, and the rank of the \
      weight gradient still counts the samples up to the number of units.
      """,
    sources: [.spear, .curious],
    examples: .init(
      passing: [
        stack("narrow", inputs: 784, outputs: 64, .relu),
        stack("never off", inputs: 784, outputs: 512, .tanh),
        stack("small", inputs: 4, outputs: 16, .relu),
      ],
      failing: [
        (stack("wide", inputs: 784, outputs: 512, .relu), "hidden"),
        (stack("wider than its input", inputs: 64, outputs: 128, .relu), "hidden"),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.denseNodesFacingInput.compactMap { site, path in
      guard isWide(site), let reader = subject.soleReader(of: site.node),
        let activation = subject.network.nodes[reader].layer as? Activation,
        activation.function.silencesUnits
      else { return nil }
      return finding(at: site, path: path, in: subject)
    }
  }

  private func isWide(_ site: DenseSite) -> Bool {
    if case .oncePerPosition = site.use { return false }
    return site.outputs >= 256 || site.outputs >= max(site.inputs ?? .max, 64)
  }

  private func finding(at site: DenseSite, path: InputPath, in subject: Subject) -> Finding {
    let batch = Int.bitWidth - 1 - site.outputs.leadingZeroBitCount
    let factor = site.hasBias ? "exactly" : "up to a factor"
    let overcomplete = site.inputs.map { site.outputs >= $0 } ?? false
    let width =
      overcomplete
      ? " It has no fewer units than inputs, so with weights of full rank its values before ReLU "
        + "also determine the input."
      : ""
    let statement = """
      '\(site.name)' (\(site.size)) feeds ReLU: up to batches of about \(batch) samples a sample \
      still has one of the \(site.outputs) units of its own, which discloses it \(factor).
      """
    return self.finding(
      in: subject, at: site.name,
      message: subject.reservation(capitalized: statement) + width + " " + subject.disclosure,
      measurements: subject.measurements(of: site) + [.init("exposed batch size", "\(batch)")],
      preconditions: subject.preconditions(of: site, path: path) + [
        "Units are on for about half the samples, independently; sparser units expose more."
      ])
  }

  private static func stack(
    _ name: String, inputs: Int, outputs: Int, _ function: ActivationFunction
  ) -> Subject {
    Subject(
      name, input: [inputs],
      [
        "hidden": Dense(outputs: outputs), "activation": Activation(function),
        "logits": Dense(outputs: 10),
      ])
  }
}
