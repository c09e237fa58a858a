internal import AuditModel

/// What the file or the user says about the batch.
struct BatchStatementCheck: PreflightChecker {
  func check(_ observation: Observation) -> [PreflightCheck] {
    var parts: [String] = []
    if let batch = observation.batchSize { parts.append("batch of \(batch)") }
    if let reduction = observation.reduction {
      parts.append("loss reduced by \(reduction.rawValue)")
    }
    if let steps = observation.steps { parts.append("\(steps) step\(steps == 1 ? "" : "s")") }
    if parts.isEmpty { parts.append("nothing stated") }
    return [
      PreflightCheck(
        artifact: "", check: "batch size, reduction and steps",
        status: observation.batchSize == nil ? .warning : .ok,
        value: parts.joined(separator: ", "),
        explanation: observation.batchSize == nil
          ? "Without a batch size, class counts are not estimated. State it with --batch-size or "
            + "as attribute 'batch_size'." : nil)
    ]
  }
}
