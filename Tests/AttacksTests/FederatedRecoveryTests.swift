import Attacks
import AuditModel
import Networks
import Testing

@Suite("Recovery from updates")
struct FederatedRecoveryTests {
  /// A squared distance below 1e-22 leaves 1e-11 of updates near one, and inputs are less exact by
  /// the condition of the map from inputs to updates, about ten here; a hundred times that is allowed.
  @Test("L-BFGS finds the inputs of a client from its update", arguments: [1, 2])
  func recovery(samples: Int) throws {
    let plan = FederatedPlan(samples: samples, batchSize: 1, steps: 2 * samples, learningRate: 0.2)
    let sample = try FederatedSample(FederatedSample.dense, plan)
    let objective = try sample.objective(.squared)
    var search = LBFGS(from: sample.candidate)
    #expect(relativeError(search.point, sample.truth) > 0.3)
    while search.iteration < 2_000, (search.objective ?? 1) > 1e-22,
      try search.step(on: objective)
    {}
    #expect(relativeError(search.point, sample.truth) < 1e-8)
  }
}
