package import AuditModel

/// Every rule, sorted by identifier.
///
/// `RuleCatalogTests` fails if a file in `Catalog/` is missing here.
package enum RuleCatalog {
  package static let all: [any Rule.Type] = [
    BatchNormalizationBehindDense.self,
    ClassifierBias.self,
    CustomLayerPresent.self,
    DenseOnlyPath.self,
    EmbeddingFirst.self,
    InputFacingBiasedDense.self,
    InputFacingUnbiasedDense.self,
    OptimizerState.self,
    ShapeMismatchPresent.self,
    WideDenseForBatches.self,
  ]

  /// The rule with that identifier, if there is one.
  package static func rule(identifiedBy identifier: String) -> (any Rule.Type)? {
    all.first { $0.metadata.identifier == identifier }
  }

  /// What every rule that is not disabled has to say about one artefact, by rule and then in node
  /// order.
  package static func findings(in subject: Subject) -> [Finding] {
    all.filter { !subject.settings.disabled.contains($0.metadata.identifier) }
      .flatMap { $0.init().findings(in: subject) }
  }
}
