internal import Attacks
package import AuditModel

extension ChainReading {
  /// What a chain says that goes from the output to the model input without any gradient.
  ///
  /// - Returns: `nil` if a gradient was there, or if the chain ends before.
  package var structuralFinding: Finding? {
    guard !isObserved, chain.reachesInput, let first = chain.steps.last,
      let metadata = AttackCatalog.metadata(identifiedBy: "cascade")
    else { return nil }
    return Finding(
      id: metadata.identifier, severity: .high, evidence: .structural, artifact: chain.artifact,
      layer: first.layer,
      message: "The gradient of one sample determines the model input: at random inputs every map "
        + "from the output down has at least as many independent equations as entries.",
      formula: metadata.formula,
      measurements: [.init("values of the model input", "\(first.unknowns)")]
        + (first.amplification.map { [.init("amplification of errors", $0.displayed)] } ?? []),
      preconditions: metadata.conditions, remedy: metadata.remedy,
      remedyEffect: metadata.remedyEffect, citations: metadata.sources)
  }
}
