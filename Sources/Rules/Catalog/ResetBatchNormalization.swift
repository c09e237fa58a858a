internal import AuditModel
internal import Networks
internal import Tensors

/// Flags batch normalisations with the statistics of a new network in one that was trained.
struct ResetBatchNormalization: Rule {
  private static let leastLayers = Threshold(
    "layers", 1, "layers with mean 0 and variance 1 exactly, in a network with traces of training")

  static let metadata = RuleMetadata(
    identifier: "reset-batch-normalization",
    title: "A trained network has batch normalisations with the statistics of a new one",
    concern: .manipulation,
    severity: .medium,
    evidence: .structural,
    rationale: """
      Running statistics move with the first batch in training mode. A layer whose means are \
      exactly 0 and variances exactly 1 while scales, shifts or other layers have moved was set \
      back: the normalisation then passes values on as they are, which is part of making a network \
      hand its input to a late layer, and it makes activations of known size.
      """,
    formula: "μ = 0 and σ² = 1 for every channel",
    remedy: "Ask who made the model for the statistics of its training, or measure them again.",
    remedyEffect: "A normalisation by real statistics no longer passes its input on unchanged.",
    sources: [.dishonestServers, .batchNormalization],
    thresholds: [leastLayers],
    knownErrors: """
      A new head on a trained body before its first step, and layers that training never ran.
      """,
    examples: .init(
      passing: [
        stack("never trained", .fresh),
        stack("trained", .drawn),
        stack("never trained, last scales zero", .fresh) { weights in
          weights["norm2", .scale] = Array(repeating: 0, count: 8)
        },
      ],
      failing: [
        (
          stack("one of two set back", .drawn) { weights in
            weights["norm1", .runningMean] = Array(repeating: 0, count: 8)
            weights["norm1", .runningVariance] = Array(repeating: 1, count: 8)
          }, "norm1"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let reset = reset(in: subject)
    guard let first = reset.first,
      Double(reset.count) >= value(of: Self.leastLayers, in: subject)
    else { return [] }
    let total = subject.network.nodes.count { $0.layer is BatchNormalization }
    let others = reset.count > 1 ? " and \(reset.count - 1) more" : ""
    return [
      finding(
        in: subject, at: first,
        message: """
          '\(first)'\(others) of \(total) batch normalisations \(reset.count > 1 ? "have" : "has") \
          mean 0 and variance 1 exactly, as before training, while the rest of the network was \
          trained.
          """,
        measurements: [
          .init("layers set back", "\(reset.count)"), .init("batch normalisations", "\(total)"),
        ],
        preconditions: ["The layer was not added after the training."])
    ]
  }

  func statistics(in subject: Subject) -> [Statistic] {
    guard subject.parameters != nil else { return [] }
    return [statistic(Double(reset(in: subject).count), Self.leastLayers, at: nil)]
  }

  /// The layers with initial statistics if something else shows training.
  private func reset(in subject: Subject) -> [String] {
    guard let parameters = subject.parameters else { return [] }
    var reset: [String] = []
    var isTrained = (subject.optimizer?.steps ?? 0) > 0
    for (index, node) in subject.network.nodes.enumerated()
    where node.layer is BatchNormalization {
      guard let mean = parameters.elements(index, .runningMean),
        let variance = parameters.elements(index, .runningVariance)
      else { continue }
      if mean.allSatisfy({ $0 == 0 }), variance.allSatisfy({ $0 == 1 }) {
        reset.append(node.name)
      } else {
        isTrained = true
      }
      for role in [ParameterRole.scale, .shift] {
        guard let values = parameters.elements(index, role), let first = values.first else {
          continue
        }
        // One constant is an initialiser's, whichever it is.
        if values.contains(where: { $0 != first }) { isTrained = true }
      }
    }
    return isTrained ? reset : []
  }

  private static func stack(
    _ name: String, _ statistics: RunningStatistics,
    changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    .drawn(
      name, input: [8, 8, 3],
      [
        "conv1": Convolution(filters: 8, kernel: [3, 3]), "norm1": BatchNormalization(),
        "relu": Activation(.relu), "conv2": Convolution(filters: 8, kernel: [3, 3]),
        "norm2": BatchNormalization(), "flat": Flatten(), "logits": Dense(outputs: 10),
      ], statistics: statistics, changing: changing)
  }
}
