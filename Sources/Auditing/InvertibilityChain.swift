internal import Attacks
internal import AuditModel
internal import Checkpoints

extension Audit {
  /// What a gradient of the model would disclose through its convolutions, from the weights alone.
  ///
  /// - Returns: `nil` without a backend, and for a network that no chain of closed forms enters.
  func invertibility(of model: BoundModel, artifact: String) -> ChainSummary? {
    guard let backend = request.backend else { return nil }
    var chain = Invertibility.analyse(
      model.network, weights: model.weights, backend: backend, progress: request.progress)
    chain?.artifact = artifact
    return chain
  }
}
