internal import AuditModel
internal import Tensors

/// Takes back recoveries that may be mixtures of several samples.
///
/// What looks like one sample in a layer whose loss gradients are all parallel can be a weighted mean
/// of the batch. Calling that an input would be a wrong alarm; the mean itself is still disclosed.
enum Mixtures {
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
      } else if observation.hasPositions(node) {
        knowledge.recoveries[node] = nil
        knowledge.verdicts[node] = .init(
          .partial, condition: "several positions",
          reason: "one weighted mean of the positions is determined; single positions are not",
          measurements: recovery.measurements)
      } else if observation.batchSize ?? 1 > 1 {
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
