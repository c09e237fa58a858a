import Attacks
import AuditModel
import Networks
import Testing

@Suite("Dense layers without bias")
struct BiasFreeTests {
  private static let input: [Double] = {
    var numbers = SeededNumbers(state: 21)
    return numbers.image(28)
  }()

  @Test("with the weights the output layer fixes the factor", arguments: [UInt64(1), 2, 3, 4])
  func outputLayer(seed: UInt64) throws {
    let model = DenseModel([28, 6], .linear, hasBias: false, seed: seed)
    let label = Int(seed)
    let knowledge = AttackCatalog.run(on: model.observation([Self.input], [label]))
    let found = try #require(knowledge.recoveries[0])
    // The factor comes from a search by golden section, exact to about √ε.
    #expect(relativeError(found.samples[0], Self.input) < 1e-6 && found.isProven)
    #expect(found.labels == [label] && knowledge.labels?.present == [label])
    #expect((knowledge.networkCertificate ?? 1) < 1e-6)
  }

  static let functions: [ActivationFunction] = [
    .tanh, .relu, .sigmoid, .elu(alpha: 1), .leakyReLU(slope: 0.2), .softplus, .selu,
    .gelu(approximate: false), .silu, .softsign,
  ]

  @Test("the chain rule walks down through every layer without bias", arguments: functions)
  func chain(function: ActivationFunction) throws {
    for seed in UInt64(1)...2 {
      let model = DenseModel([28, 20, 14, 5], function, hasBias: false, seed: seed)
      let knowledge = AttackCatalog.run(on: model.observation([Self.input], [3]))
      for level in model.levels.indices {
        let truth = model.forward(Self.input).inputs[level]
        let found = try #require(knowledge.recoveries[model.node(level)], "level \(level)")
        #expect(found.isProven && found.method == "dense-chain")
        // The search error of the output layer, carried through two layers.
        #expect(relativeError(found.samples[0], truth) < 1e-5)
      }
      #expect(knowledge.recoveries[0]?.labels == [3])
    }
  }

  @Test("a biased layer above carries the recovery down exactly")
  func mixed() throws {
    var model = DenseModel([28, 20, 5], .tanh, seed: 5)
    model.levels[0].bias = nil
    let knowledge = AttackCatalog.run(on: model.observation([Self.input], [4]))
    let found = try #require(knowledge.recoveries[0])
    #expect(relativeError(found.samples[0], Self.input) < 1e-12 && found.isProven)
    #expect(knowledge.labels?.present == [4])
  }

  @Test("without the weights only the direction is known, and that is no recovery")
  func withoutWeights() {
    let model = DenseModel([28, 20, 5], .tanh, hasBias: false, seed: 6)
    let knowledge = AttackCatalog.run(
      on: model.observation([Self.input], [1], Setting(knowsWeights: false)))
    #expect(knowledge.recoveries.isEmpty)
    #expect(knowledge.verdicts[0]?.leak == .subspace && knowledge.verdicts[2]?.leak == .subspace)
  }

  @Test("the weights of another model fix no factor")
  func otherWeights() {
    let model = DenseModel([28, 20, 5], .tanh, hasBias: false, seed: 6)
    let other = DenseModel([28, 20, 5], .tanh, hasBias: false, seed: 60)
    var observation = model.observation([Self.input], [1])
    observation.weights = other.observation([Self.input], [1]).weights
    let knowledge = AttackCatalog.run(on: observation)
    #expect(knowledge.recoveries.isEmpty)
    #expect(knowledge.verdicts[0]?.leak == .subspace)
  }

  @Test("several samples leave the span of their inputs")
  func severalSamples() {
    let model = DenseModel([28, 20, 5], .relu, hasBias: false, seed: 7)
    var numbers = SeededNumbers(state: 22)
    let inputs = (0..<3).map { _ in numbers.image(28) }
    for batchSize in [3, nil] {
      let knowledge = AttackCatalog.run(
        on: model.observation(inputs, [0, 1, 2], Setting(batchSize: batchSize)))
      #expect(knowledge.recoveries.isEmpty && knowledge.verdicts[0]?.leak == .partial)
    }
  }

  @Test("a zero gradient is inconclusive")
  func silent() {
    let model = DenseModel([28, 20, 5], .relu, hasBias: false, seed: 8)
    let knowledge = AttackCatalog.run(
      on: model.observation([Self.input], [1], Setting(factor: 0)))
    #expect(knowledge.recoveries.isEmpty)
    #expect(knowledge.verdicts[0]?.leak == .inconclusive && knowledge.labels == nil)
  }
}
