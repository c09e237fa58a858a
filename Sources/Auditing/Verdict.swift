package import AuditModel

/// The sentence at the top of a report, what it means for an attacker, and the exit code.
package struct Verdict {
  /// What counts.
  let findings: [Finding]
  /// What somebody accepted beforehand: still true, so the sentences speak of it.
  let suppressed: [Finding]
  let recoveries: [RecoverySummary]
  let chains: [ChainReading]
  let labels: [LabelSummary]
  let layers: [LayerSummary]
  let failOn: Severity?
  let hasSubject: Bool
  let isIncomplete: Bool

  package init(
    findings: [Finding], suppressed: [Finding] = [], recoveries: [RecoverySummary],
    chains: [ChainReading], labels: [LabelSummary], layers: [LayerSummary], failOn: Severity?,
    hasSubject: Bool,
    isIncomplete: Bool
  ) {
    self.findings = findings
    self.suppressed = suppressed
    self.recoveries = recoveries
    self.chains = chains
    self.labels = labels
    self.layers = layers
    self.failOn = failOn
    self.hasSubject = hasSubject
    self.isIncomplete = isIncomplete
  }

  /// Precedence: a finding outweighs an incomplete audit, which outweighs an empty one.
  package var status: ExitStatus {
    if let failOn, findings.contains(where: { $0.severity >= failOn }) { return .finding }
    if isIncomplete { return .incomplete }
    return hasSubject ? .clean : .nothing
  }

  private var all: [Finding] { findings + suppressed }

  private var provenInputs: [RecoverySummary] {
    recoveries.filter { $0.proven && $0.isModelInput }
  }

  package var sentence: String {
    Self.sentence(fact, suppressed: suppressed.count)
  }

  /// A fact, and how many findings do not count although they are a part of it.
  static func sentence(_ fact: String, suppressed: Int) -> String {
    guard suppressed > 0 else { return fact }
    let count = DisplayedNumber.counted(suppressed, "finding is", plural: "findings are")
    return fact + " \(count) suppressed and not counted."
  }

  private var fact: String {
    if let best = provenInputs.max(by: { $0.samples < $1.samples }) {
      let samples = best.samples == 1 ? "One input" : "\(best.samples) inputs"
      let verb = best.samples == 1 ? "was" : "were"
      return "\(samples) \(verb) recovered from the \(best.source) and proven by simulating the "
        + "gradient again."
    }
    if recoveries.contains(where: { $0.isModelInput }) {
      return "Inputs can be estimated from the given files; the estimates are not proven."
    }
    let worst = all.filter { $0.evidence != .inconclusive }.map(\.statedSeverity).max() ?? .info
    let rest = isIncomplete ? " Parts were not analysed and must not be read as safe." : ""
    guard hasSubject else {
      return isIncomplete
        ? "The audit could not be done: an input was unreadable or did not fit. Nothing here says "
          + "that the model is safe."
        : "Nothing auditable was found in the given files."
    }
    if worst >= .high {
      return "No input was recovered, but the files show that inputs can be read by whoever sees "
        + "what the findings name." + rest
    }
    if nearEnd != nil {
      return
        "No input was recovered, but a search came near to the observed gradient; look at what it "
        + "found before you call this safe." + rest
    }
    if all.contains(where: { $0.evidence == .structural && $0.statedSeverity == .medium }) {
      return "No input was recovered; the structural findings state conditions under which "
        + "gradients of this model disclose inputs." + rest
    }
    if !recoveries.isEmpty || !labels.isEmpty || chains.contains(where: disclosesFeatures) {
      return "No model input was recovered; features or labels were." + rest
    }
    if chains.isEmpty, layers.allSatisfy({ $0.kind != "dense" }) {
      return "There is no dense layer, so no dense path to the input exists." + rest
    }
    return "No closed-form leak of inputs was found." + rest
  }

  /// A search that ended near the observed gradient without an input that could be claimed.
  private var nearEnd: Finding? {
    all.first { $0.id == "gradient-matching" && $0.evidence == .inconclusive }
  }

  /// Whether a gradient gave feature maps, short of the input.
  private func disclosesFeatures(_ reading: ChainReading) -> Bool {
    reading.isObserved && !reading.chain.reachesInput && reading.deepestFeatures != nil
  }

  /// What a chain short of the input gives, and what one without a gradient would give.
  private func line(_ reading: ChainReading) -> String? {
    let source =
      reading.isObserved
      ? "from the \(reading.chain.source)"
      : "from the gradient of one sample of \(reading.chain.artifact), should somebody see it"
    if reading.chain.reachesInput {
      // A recovery already has its line.
      return reading.isObserved ? nil : "The input itself, \(source)."
    }
    return reading.deepestFeatures.map { layer, shape in
      "The feature maps down to '\(layer)', \(source): \(shape) values."
    }
  }

  /// Plain sentences; at least one.
  package var attackerGets: [String] {
    var lines: [String] = []
    for recovery in recoveries {
      let certainty =
        recovery.proven
        ? "certain: the gradient computed from \(recovery.samples == 1 ? "it" : "them") equals the "
          + "observed one to \(text(recovery.certificate))"
        : "an estimate, with an error of about \(text(recovery.predictedError)) per value"
      let what =
        recovery.isModelInput
        ? "\(recovery.samples == 1 ? "The input itself" : "\(recovery.samples) of the inputs themselves")"
        : "The features that enter '\(recovery.layer)'"
      lines.append("\(what), from the \(recovery.source); \(certainty).")
    }
    if nearEnd != nil {
      lines.append(
        "A guess at the input whose gradient is nearly the observed one; only a look at it tells whether "
          + "it resembles the original.")
    }
    lines += chains.compactMap(line)
    for finding in all where finding.id == "dense-chain" && finding.evidence == .structural {
      lines.append(
        "The features that enter '\(finding.layer ?? "")' up to one factor"
          + (finding.statedSeverity >= .high ? ": for an image, all but its brightness." : "."))
    }
    for label in labels where !label.present.isEmpty {
      let classes = label.present.map(String.init).joined(separator: ", ")
      lines.append(
        label.exact
          ? "The label\(label.present.count == 1 ? "" : "s"): class \(classes)."
          : label.present.count == 1
            ? "That class \(classes) was in the batch."
            : "That classes \(classes) were in the batch.")
    }
    if lines.isEmpty, all.contains(where: { $0.id == "optimizer-state" }) {
      lines.append("Traces of past gradients from the optimiser state in the checkpoint.")
    }
    if lines.isEmpty,
      all.contains(where: { $0.evidence == .structural && $0.statedSeverity >= .high })
    {
      lines.append(
        "From these files alone, no input. From a gradient, an update or fresh optimiser state of "
          + "this model: what the structural findings describe.")
    }
    if lines.isEmpty {
      lines.append(
        hasSubject
          ? "Nothing that this version can compute. What was not looked at is listed below."
          : "Unknown: nothing could be audited.")
    }
    return lines
  }

  private func text(_ value: Double) -> String { value.displayed }
}
