package import AuditModel

/// Every rule, sorted by identifier.
///
/// `RuleCatalogTests` fails if a file in `Catalog/` is missing here.
package enum RuleCatalog {
  package static let all: [any Rule.Type] = [
    BatchNormalizationBehindDense.self,
    ChangedArchitecture.self,
    ClassFishing.self,
    ClassifierBias.self,
    ClassifierWiderThanFeatures.self,
    CustomLayerPresent.self,
    DenseBlockAtInput.self,
    DenseOnlyPath.self,
    DuplicateRows.self,
    EmbeddingFirst.self,
    FeatureFishing.self,
    HugeQueryBias.self,
    ImprintRows.self,
    InputFacingBiasedDense.self,
    InputFacingUnbiasedDense.self,
    InputSkipToLateLayer.self,
    InvertiblePath.self,
    OptimizerState.self,
    PassThroughLayers.self,
    PermutedClassifierRows.self,
    ReplacedWeights.self,
    ResetBatchNormalization.self,
    ScaledRows.self,
    ShapeMismatchPresent.self,
    TrapWeights.self,
    UnusualWeights.self,
    WeightsPerSample.self,
    WideDenseForBatches.self,
    ZeroedEmbeddingColumns.self,
  ]

  /// The rule with that identifier, if there is one.
  package static func rule(identifiedBy identifier: String) -> (any Rule.Type)? {
    all.first { $0.metadata.identifier == identifier }
  }

  /// What every rule that is not disabled has to say about one artefact, by rule and then in node
  /// order.
  ///
  /// - Parameters:
  ///   - subject: What they look at.
  ///   - concern: Rules about something else are left out; `nil` runs all.
  ///   - jobs: How many rules run at a time; the result does not depend on it.
  /// - Returns: The findings of all rules, in catalogue order.
  package static func findings(
    in subject: Subject, about concern: RuleMetadata.Concern? = nil, jobs: Int = 1
  ) -> [Finding] {
    let rules = all.map { (rule: $0, metadata: $0.metadata) }.filter { _, metadata in
      (concern == nil || metadata.concern == concern)
        && !subject.settings.disabled.contains(metadata.identifier)
    }.map(\.rule)
    return Jobs.map(rules, jobs: jobs) { $0.init().findings(in: subject) }.flatMap { $0 }
  }

  /// What every rule measures on one artefact, by rule and then in node order.
  package static func statistics(in subject: Subject, jobs: Int = 1) -> [Statistic] {
    Jobs.map(all, jobs: jobs) { $0.init().statistics(in: subject) }.flatMap { $0 }
  }
}
