internal import AuditModel
internal import Networks
internal import Tensors

/// Decides which recoveries may be mixtures of several samples, and takes those back.
///
/// What looks like one sample in a layer whose loss gradients are all parallel can be a weighted mean
/// of the batch. Calling that an input would be a wrong alarm; the mean itself is still disclosed.
enum Mixtures {
  /// Lets the output layer vouch for the layers in front of it.
  ///
  /// Where the classifier's gradient proves one sample, samples with another label or other features
  /// are ruled out, so what looks like one sample in front of it is one.
  static func confirm(_ knowledge: inout Knowledge, _ observation: Observation) {
    guard let classifier = observation.classifier,
      let head = knowledge.recoveries[classifier], head.isProven, head.samples.count == 1,
      observation.batchSize ?? 1 == 1
    else { return }
    for (node, recovery) in knowledge.recoveries
    where !recovery.isProven && recovery.units.isEmpty && recovery.isDetermined == nil {
      guard observation.network.chain(from: node).contains(classifier),
        !observation.hasPositions(node), isExact(recovery, observation)
      else { continue }
      knowledge.recoveries[node]?.isProven = true
      knowledge.recoveries[node]?.preconditions = [
        "The gradient of the output layer proves one sample; this layer alone would not."
      ]
    }
  }

  /// Whether the layer's own equations hold to rounding, so that noise is no explanation.
  private static func isExact(
    _ recovery: Knowledge.Recovery, _ observation: Observation
  ) -> Bool {
    guard let matrix = observation.gradient.matrix(recovery.node) else { return false }
    let norm = matrix.tensor.summary().norm
    let level = RoundingLevel(observation, recovery.node, matrix: matrix, norm: norm)
    return recovery.certificates.allSatisfy { $0 <= level.tolerance }
  }

  /// Whether positions were unknowns of their own rather than summed over.
  private static func isSolvedByPosition(_ recovery: Knowledge.Recovery) -> Bool {
    recovery.method == Cascade.metadata.identifier
  }

  static func demote(_ knowledge: inout Knowledge, _ observation: Observation) {
    for (node, recovery) in knowledge.recoveries where !recovery.isProven {
      if !recovery.units.isEmpty {
        knowledge.recoveries[node] = nil
        knowledge.verdicts[node] = .init(
          .partial, condition: "several samples",
          reason:
            "\(recovery.samples.count) groups of units have equal ratios; each is a sample or "
            + "a fixed mixture of samples or positions, which a narrow output, a narrow layer or a "
            + "mean over positions behind the layer does not tell apart",
          measurements: recovery.measurements)
      } else if observation.hasPositions(node), !isSolvedByPosition(recovery) {
        knowledge.recoveries[node] = nil
        knowledge.verdicts[node] = .init(
          .partial, condition: "several positions",
          reason: "one weighted mean of the positions is determined; single positions are not",
          measurements: recovery.measurements)
      } else if observation.batchSize ?? 1 > 1 || observation.steps ?? 1 > 1 {
        knowledge.recoveries[node] = nil
        knowledge.verdicts[node] = .init(
          .partial, condition: "several samples",
          reason:
            "one weighted mean of the inputs of the batch is determined; single inputs are not",
          measurements: recovery.measurements)
      }
    }
  }
}
