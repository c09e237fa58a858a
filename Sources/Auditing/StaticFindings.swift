internal import Attacks
internal import AuditModel
internal import Checkpoints
internal import Networks
internal import Rules

/// What the rules say about a checkpoint, with or without a gradient.
struct StaticFindings {
  private(set) var all: [Finding]
  /// The parameters that no rule could judge.
  let passedOver: [Skipped]
  /// How the model compares with what it should be.
  let comparison: ReferenceCheck

  /// Runs every rule that the request does not disable.
  init(
    artifact: String, model: BoundModel, optimizer: OptimizerSummary?, reference: Reference?,
    results: [(observation: Observation, knowledge: Knowledge)], request: AuditRequest
  ) {
    let batchSize =
      request.batchSize ?? results.lazy.compactMap { $0.observation.batchSize }.first
    let subject = Subject(
      artifact: artifact, network: model.network,
      parameters: model.weights.tensors.isEmpty ? nil : model.weights, optimizer: optimizer,
      hasGradient: !results.isEmpty, batchSize: batchSize, reference: reference,
      settings: request.rules)
    all = RuleCatalog.findings(in: subject, jobs: request.jobs)
    passedOver = PassedOver.all(in: subject).map { $0.skipped(in: artifact) }
    comparison = ReferenceCheck(subject)
    guard reference != nil else { return }
    for exchange in Permutation.found(in: subject) {
      for (observation, knowledge) in results {
        let readOut = FlippedLabels(exchange, observation, knowledge)
        for index in all.indices where all[index].layer == exchange.layer {
          readOut?.join(&all[index])
        }
      }
    }
  }
}

extension PassedOver {
  /// A line of a report.
  func skipped(in artifact: String) -> Skipped {
    Skipped(artifact: artifact, what: "\(role) of '\(layer)'", why: reason)
  }
}
