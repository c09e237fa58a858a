internal import Attacks
internal import AuditModel

extension KnowledgeFindings {
  /// What a search says whose end explains the gradient nearly, and is no recovery.
  ///
  /// Other inputs may explain it as nearly, so only a look tells whether the original is among them.
  ///
  /// - Returns: `nil` if inputs were recovered, or if no search came that far.
  var searchFinding: Finding? {
    guard !knowledge.recoveries.keys.contains(where: isModelInput),
      let best = knowledge.inversions.filter(\.isNear)
        .min(by: { $0.summary.gradientMatch < $1.summary.gradientMatch }),
      let metadata = AttackCatalog.metadata(identifiedBy: "gradient-matching")
    else { return nil }
    let isOne = best.samples.count == 1
    let what = isOne ? "an input" : "\(best.samples.count) inputs"
    return Finding(
      id: metadata.identifier, severity: .medium, evidence: .inconclusive, access: access,
      artifact: artifact,
      message: "A search ended at \(what) whose simulated gradient misses the observed "
        + "\(observation.sourceName) by \(best.summary.gradientMatch.displayed) of its norm. How near "
        + "\(isOne ? "it is to the original" : "they are to the originals") is not known.",
      formula: metadata.formula,
      measurements: [
        .init("relative distance of the gradients", best.summary.gradientMatch.displayed),
        .init(
          "share of directions that the equations determine",
          best.determinedShare?.displayed ?? "not measured"),
      ],
      preconditions: metadata.conditions,
      remedy: "Look at what the search found (--save-recovered) before you call this safe. "
        + metadata.remedy,
      remedyEffect: metadata.remedyEffect, citations: metadata.sources)
  }
}
