internal import AuditModel
internal import Networks
internal import Tensors

/// What the file or the user says about the batch, and whether the gradient agrees.
struct BatchStatementCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    var parts: [String] = []
    if let batch = observation.batchSize { parts.append("batch of \(batch)") }
    if let reduction = observation.reduction {
      parts.append("loss reduced by \(reduction.rawValue)")
    }
    if let steps = observation.steps { parts.append("\(steps) step\(steps == 1 ? "" : "s")") }
    if parts.isEmpty { parts.append("nothing stated") }
    let excess = excessRank(observation)
    if let excess { parts.append("rank of the output layer's gradient at least \(excess)") }
    return [
      PreflightCheck(
        artifact: "", check: "batch size, reduction and steps",
        status: excess != nil ? .mismatch : observation.batchSize == nil ? .warning : .ok,
        value: parts.joined(separator: ", "),
        explanation: excess != nil
          ? "More independent samples than stated: the batch was larger, the gradient was noised or "
            + "sparsified, or the layer is applied at several positions."
          : observation.batchSize == nil
            ? "Without a batch size, class counts are not estimated. State it with --batch-size or "
              + "as attribute 'batch_size'." : nil)
    ]
  }

  /// The rank of the output layer's gradient, if it exceeds what the stated batch can give.
  private func excessRank(_ observation: Observation) -> Int? {
    guard let batch = observation.batchSize, batch <= 15, observation.steps ?? 1 == 1,
      observation.source == .gradient, let node = observation.classifier,
      let matrix = observation.gradient.matrix(node), matrix.tensor.count <= 1 << 20,
      matrix.tensor.summary().isFinite
    else { return nil }
    let rank = NumericalRank(
      of: matrix, unitRoundoff: matrix.tensor.resolution.unitRoundoff, limit: batch + 1
    ).rank
    return rank > batch ? rank : nil
  }
}
