internal import AuditModel
internal import Checkpoints
internal import Networks
internal import Rules

/// What the rules say about a checkpoint, with or without a gradient.
enum StaticFindings {
  /// Runs every rule that the request does not disable.
  static func all(
    artifact: String, model: BoundModel, optimizer: OptimizerSummary?, hasGradient: Bool,
    batchSize: Int?, request: AuditRequest
  ) -> [Finding] {
    RuleCatalog.findings(
      in: Subject(
        artifact: artifact, network: model.network,
        parameters: model.weights.tensors.isEmpty ? nil : model.weights, optimizer: optimizer,
        hasGradient: hasGradient, batchSize: batchSize, settings: request.rules),
      jobs: request.jobs)
  }
}
