package import AuditModel
package import TensorIR

/// How numerical inversions are to run, and who is told.
package struct InversionControl: Sendable {
  /// The attacks, in the order in which they run; none switches numerical inversion off.
  package var attacks: [InversionSettings] = [InversionSettings(.auto)]
  /// Runs what is done once, and the last restart that is left.
  package var backend: any Backend
  /// Runs restarts side by side, each on a thread of its own.
  package var restartBackend: any Backend
  /// How many restarts run at a time; no result depends on it.
  package var workers = 1
  /// Classes of the samples, where they are known beforehand.
  package var labels: [Int]?
  /// Between which values inputs lie, where that is known.
  package var box: InputBox?
  /// Starts every first restart from these inputs; one vector per sample, as the model declares them.
  package var start: [[Double]]?
  /// Multiply-adds that the steps of an `auto` may cost, for which it takes fewer; `nil` for any number.
  ///
  /// Two minutes of a processor, about: nobody asked for that attack by name.
  package var workLimit: Double? = 1e13
  package var deadline: ContinuousClock.Instant?
  /// Asked before every step; a search ends soon after.
  package var isCancelled: @Sendable () -> Bool = { false }
  /// Receives a line whenever long work gets on.
  package var progress: @Sendable (String) -> Void = { _ in }
  /// Keeps states of searches, so that they can be resumed.
  package var store: (any InversionStore)?

  package init(backend: any Backend, restartBackend: any Backend) {
    self.backend = backend
    self.restartBackend = restartBackend
  }

  /// Why a search should end now, if it should.
  var interruption: String? {
    if isCancelled() { return "interrupted" }
    if let deadline, ContinuousClock.now >= deadline { return "time limit" }
    return nil
  }
}

/// Where states of searches are kept from run to run.
package protocol InversionStore: Sendable {
  /// The restarts of a search whose identity, equal for equal settings, weights, gradients and labels
  /// only, is this; `nil` if none was kept.
  func restarts(of identity: String) -> [RestartState]?
  /// Keeps the restarts of a search.
  func keep(_ restarts: [RestartState], of identity: String)
}
