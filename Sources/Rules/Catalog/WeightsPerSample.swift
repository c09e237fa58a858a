internal import AuditModel
internal import Networks
internal import Tensors

/// Flags weights with an axis as long as the batch: a set for every sample.
struct WeightsPerSample: Rule {
  static let metadata = RuleMetadata(
    identifier: "weights-per-sample",
    title: "A weight has an axis as long as the batch",
    concern: .manipulation,
    severity: .medium,
    evidence: .structural,
    rationale: """
      A batch protects its samples because their gradients are summed in the same weights. A layer \
      that keeps separate weights for every element of the batch, as groups of channels or as a \
      leading axis, has the gradient of every sample apart.
      """,
    formula: "W of shape [B, …], so that W̄[i] belongs to sample i alone",
    remedy: "Refuse a model whose shapes depend on the size of the batch.",
    remedyEffect: "Weights shared by all samples sum their gradients.",
    sources: [.dishonestServers],
    knownErrors: "Groups or heads whose number equals the batch by coincidence.",
    examples: .init(
      passing: [
        grouped("groups and batch differ", groups: 4, batchSize: 8),
        grouped("batch not known", groups: 4, batchSize: nil),
        grouped("depthwise", groups: 16, batchSize: 16),
      ],
      failing: [(grouped("as many groups as samples", groups: 8, batchSize: 8), "conv")]))

  func findings(in subject: Subject) -> [Finding] {
    guard let batch = subject.batchSize, batch > 1 else { return [] }
    return subject.network.nodes.enumerated().compactMap { index, node in
      let axis: String
      if let layer = node.layer as? Networks.Convolution, layer.groups == batch,
        layer.variant == .plain
      {
        let shape = node.inputShape ?? []
        let channels = layer.channelsFirst ? shape.first ?? nil : shape.last ?? nil
        guard channels != batch else { return nil }
        axis = "\(batch) groups"
      } else if let shape = separateWeights(index, batch, in: subject) {
        axis = "weights of shape \(shape)"
      } else {
        return nil
      }
      return finding(
        in: subject, at: node.name,
        message: """
          '\(node.name)' has \(axis) for a batch of \(batch) samples: each sample can have weights, \
          and so a gradient, of its own.
          """,
        measurements: [.init("batch size", "\(batch)")],
        preconditions: ["The axis belongs to the samples and is not as long by coincidence."])
    }
  }

  /// The shape of a parameter of an unusual kind that begins with the batch.
  private func separateWeights(_ node: Int, _ batch: Int, in subject: Subject) -> String? {
    guard subject.network.nodes[node].layer is CustomLayer, let parameters = subject.parameters
    else { return nil }
    for matrix in parameters.matrices where matrix.key.node == node {
      let shape = matrix.view.tensor.shape
      if shape.count >= 3, shape[0] == batch { return (shape as Shape).text }
    }
    return nil
  }

  private static func grouped(_ name: String, groups: Int, batchSize: Int?) -> Subject {
    var subject = Subject(
      name, input: [8, 8, 16],
      [
        "conv": Convolution(filters: 16, kernel: [3, 3], groups: groups), "flat": Flatten(),
        "logits": Dense(outputs: 2),
      ])
    subject.batchSize = batchSize
    return subject
  }
}
