internal import AuditModel
internal import Checkpoints
internal import Networks
internal import Rules

/// What the rules say about a checkpoint, with or without a gradient.
enum StaticFindings {
  static func all(
    artifact: String, model: BoundModel, optimizer: OptimizerSummary?, hasGradient: Bool,
    settings: RuleSettings
  ) -> [Finding] {
    RuleCatalog.findings(
      in: Subject(
        artifact: artifact, network: model.network, optimizer: optimizer,
        hasGradient: hasGradient, settings: settings))
  }
}
