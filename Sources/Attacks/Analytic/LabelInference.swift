internal import AuditModel
internal import Networks
internal import Tensors

/// Reads labels off the gradient of the output layer.
///
/// For mean softmax cross-entropy `b̄_c = (1/B) Σᵢ (p_ic − [yᵢ = c])` exactly, so a class with
/// `b̄_c < 0` is certainly present, and `n_c = B (p̄_c − b̄_c)`. One sample has exactly one negative
/// entry: the label. The mean prediction `p̄` of a batch is not observed; it is estimated in up to
/// three ways, and the spread of the three is part of the answer.
///
/// - Exact when: one sample, or every sample was recovered with its label.
/// - Label smoothing `ε` shifts `b̄_c` by `ε/C` and scales counts by `1/(1 − ε)`.
struct LabelInference: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "label-inference",
    title: "The gradient of the output layer tells the labels",
    claim: "The bias gradient of a softmax classifier tells which classes a batch contains.",
    formula: "n_c = B (p̄_c − b̄_c);  one sample: the only negative entry of b̄",
    conditions: [
      "Softmax cross-entropy (the entries of b̄ sum to zero) or one sigmoid output.",
      "The bias gradient of the output layer is visible, or one sample explains its weights.",
    ],
    sources: [.improvedDeepLeakage, .labelRestoration],
    remedy: """
      Aggregate securely, or clip and noise each sample's gradient; treat the label distribution of \
      every client as known to the server otherwise.
      """,
    remedyEffect: "Removing the bias hides counts of larger batches, not the label of one sample.")

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    guard let node = observation.classifier, let head = Head(node, observation, knowledge) else {
      return
    }
    knowledge.preflight.append(head.sumCheck(observation))
    assignFromOwnUnits(node, observation, &knowledge)
    let single = isSingle(node, head, observation, knowledge)
    if single, let label = head.singleLabel {
      for key in knowledge.recoveries.keys where knowledge.recoveries[key]?.samples.count == 1 {
        knowledge.recoveries[key]?.labels = [label]
      }
      let classes = max(head.values.count, 2)
      let counts = (0..<classes).map { $0 == label ? observation.batchSize ?? 1 : 0 }
      knowledge.labels = LabelSummary(
        present: [label], counts: counts, interval: counts.map { [$0, $0] },
        method: head.values.count == 1
          ? "sign of the output's gradient" : "the only entry of p − y with the label's sign",
        exact: true, source: observation.sourceName)
      return
    }
    if single, let label = head.noisyLabel {
      knowledge.labels = LabelSummary(
        present: [label], counts: nil, interval: nil,
        method: "the most negative entry of p − y; the gradient was noised or sparsified, so the "
          + "sum that would prove it is disturbed",
        exact: false, source: observation.sourceName)
      return
    }
    guard head.isSoftmax else { return }
    knowledge.labels = BatchLabels(head, observation, knowledge).summary
  }

  /// Whether one sample stands behind the observation.
  private func isSingle(
    _ node: Int, _ head: Head, _ observation: Observation, _ knowledge: Knowledge
  ) -> Bool {
    if observation.batchSize == 1, (observation.steps ?? 1) == 1 { return true }
    // Samples with equal features look like one, but bring one negative entry per class.
    if head.isSigned, !head.isSmoothed, head.values.count(where: { $0 < 0 }) > 1 { return false }
    return knowledge.recoveries[node].map { $0.samples.count == 1 && $0.isProven } ?? false
  }

  /// Labels of recovered samples of a batch: the classifier's weights from a unit that one sample
  /// alone activates have a gradient proportional to that sample's `p − y`.
  private func assignFromOwnUnits(
    _ classifier: Int, _ observation: Observation, _ knowledge: inout Knowledge
  ) {
    guard let gradient = observation.gradient.matrix(classifier), gradient.outputs >= 3 else {
      return
    }
    for (node, recovery) in knowledge.recoveries where !recovery.units.isEmpty {
      let behind = observation.network.chain(from: node)
      guard behind.first(where: { observation.network.nodes[$0].layer is Dense }) == classifier
      else { continue }
      knowledge.recoveries[node]?.labels = recovery.units.map { units in
        var votes: [Int: Int] = [:]
        for unit in units where unit < gradient.inputs {
          DenseChain.oddOneOut(gradient.column(unit)).map { votes[$0, default: 0] += 1 }
        }
        return votes.count == 1 ? votes.keys.first : nil
      }
    }
  }
}

/// The output layer's gradient as labels need it.
struct Head {
  /// `∂L/∂z` summed or averaged over the batch, positive multiple of the gradient if `isSigned`.
  var values: [Double]
  /// Whether the sign of `values` is that of the gradient.
  var isSigned: Bool
  /// Whether the entries sum to zero, as under softmax cross-entropy.
  var isSoftmax: Bool
  /// `|Σ b̄| / Σ |b̄|`.
  var imbalance: Double
  var isSmoothed: Bool
  /// Whether the file says that a single output is a class probability and not a regression.
  var isBinaryClass: Bool
  /// The size below which an entry is rounding.
  var noise: Double

  init?(_ node: Int, _ observation: Observation, _ knowledge: Knowledge) {
    let observed = observation.gradient.bias(node)
    guard let raw = observed ?? knowledge.recoveries[node]?.outputGradient,
      raw.allSatisfy(\.isFinite)
    else { return nil }
    let total = raw.reduce(0) { $0 + abs($1) }
    guard total > 0 else { return nil }
    // A gradient from the chain is of the gradient's own sign by construction.
    let sign = observed == nil && observation.source != .gradient ? 1 : observation.sign
    isSigned = sign != nil
    values = raw.map { $0 * (sign ?? 1) }
    let unit = observation.gradient[node, .weight]?.resolution.unitRoundoff ?? 0x1p-24
    let count = Double(raw.count)
    noise = max(8 * unit * (raw.map(abs).max() ?? 0), 4 * observation.roundingError(node, .bias))
    imbalance = abs(raw.reduce(0, +)) / total
    isSoftmax =
      raw.count >= 2 && imbalance <= max(1e-4, 64 * unit, count.squareRoot() * noise / total)
    isSmoothed = observation.labelSmoothing > 0
    let loss = observation.network.loss?.lowercased() ?? ""
    let last = observation.network.nodes.last?.layer as? Activation
    isBinaryClass = last?.function == .sigmoid || loss.contains("binary")
  }

  /// The label of one sample.
  var singleLabel: Int? {
    if values.count == 1 { return isSigned && isBinaryClass ? (values[0] < 0 ? 1 : 0) : nil }
    guard isSoftmax else { return nil }
    if isSmoothed {
      return isSigned ? values.indices.min { values[$0] < values[$1] } : nil
    }
    if values.count >= 3, let odd = DenseChain.oddOneOut(values) { return odd }
    guard isSigned else { return nil }
    let negative = values.indices.filter { values[$0] < 0 }
    return negative.count == 1 ? negative[0] : nil
  }

  /// The class of one sample when the entries no longer sum to zero.
  var noisyLabel: Int? {
    guard values.count >= 3, !isSoftmax, isSigned,
      let lowest = values.indices.min(by: { values[$0] < values[$1] })
    else { return nil }
    let others = values.indices.filter { $0 != lowest }.map { abs(values[$0]) }.max() ?? 0
    return values[lowest] < 0 && -values[lowest] > 1.5 * others ? lowest : nil
  }

  func sumCheck(_ observation: Observation) -> PreflightCheck {
    guard values.count >= 2 else {
      return PreflightCheck(
        artifact: "", check: "classifier's bias gradient sums to zero", status: .notChecked,
        value: "one output")
    }
    return PreflightCheck(
      artifact: "", check: "classifier's bias gradient sums to zero",
      status: isSoftmax ? .ok : .warning,
      value: "|Σb̄| / Σ|b̄| = \(imbalance.displayed)",
      explanation: isSoftmax
        ? nil
        : "The loss is not softmax cross-entropy (sigmoid or squared error?), the layer is not the "
          + "classifier, or the gradient was noised, sparsified or saturated.")
  }
}
