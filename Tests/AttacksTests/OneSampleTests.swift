import Attacks
import AuditModel
import Networks
import Testing

@Suite("One sample, dense layers with bias")
struct OneSampleTests {
  static let functions: [ActivationFunction] = [
    .tanh, .relu, .sigmoid, .elu(alpha: 1), .gelu(approximate: false), .gelu(approximate: true),
    .leakyReLU(slope: 0.2), .silu, .softplus, .selu, .softsign, .relu6, .hardSigmoid, .linear,
  ]

  @Test(
    "the sample is recovered to rounding, proven, with its label", arguments: functions,
    [Observation.Reduction.mean, .sum])
  func exact(function: ActivationFunction, reduction: Observation.Reduction) throws {
    for seed in UInt64(1)...3 {
      let model = DenseModel([30, 20, 12, 5], function, seed: seed)
      var numbers = SeededNumbers(state: seed + 100)
      let (input, label) = (numbers.image(30), Int(seed))
      var setting = Setting(reduction: reduction)
      setting.convention = seed == 2 ? .channelsFirst : .channelsLast
      let knowledge = AttackCatalog.run(on: model.observation([input], [label], setting))
      for level in model.levels.indices {
        let truth = model.forward(input).inputs[level]
        let found = try #require(knowledge.recoveries[model.node(level)])
        // Double sums of a few dozen terms.
        #expect(found.samples.count == 1 && relativeError(found.samples[0], truth) < 1e-13)
        #expect(found.isProven && (found.certificates.max() ?? 1) < 1e-12)
      }
      #expect(knowledge.recoveries[0]?.labels == [label])
      #expect(knowledge.labels?.present == [label] && knowledge.labels?.exact == true)
      #expect(knowledge.labels?.counts == (0..<5).map { $0 == label ? 1 : 0 })
      #expect((knowledge.networkCertificate ?? 1) < 1e-12)
      #expect(abs((knowledge.networkScale ?? 0) - 1) < 1e-12)
    }
  }

  /// Where the numbers come from, their sign, and what they are a multiple of.
  static let sources: [(Observation.Source, Double, Double)] = [
    (.update, -1, -0.01), (.optimizerSlot(.firstMoment), 1, 0.1),
    (.optimizerSlot(.momentum), -1, -0.05), (.optimizerSlot(.accumulatedGradient), 1, 1),
  ]

  @Test("an update or an optimiser slot is as good as the gradient", arguments: sources)
  func source(source: Observation.Source, sign: Double, factor: Double) throws {
    let model = DenseModel([24, 16, 4], .tanh, seed: 7)
    var numbers = SeededNumbers(state: 8)
    let input = numbers.image(24)
    for knowsWeights in [true, false] {
      let setting = Setting(
        reduction: nil, source: source, sign: sign, factor: factor, knowsWeights: knowsWeights)
      let knowledge = AttackCatalog.run(on: model.observation([input], [2], setting))
      let found = try #require(knowledge.recoveries[0])
      #expect(relativeError(found.samples[0], input) < 1e-13 && found.isProven)
      #expect(found.labels == [2] && knowledge.labels?.present == [2])
      #expect((knowledge.networkCertificate != nil) == knowsWeights)
      if let scale = knowledge.networkScale { #expect(abs(scale / factor - 1) < 1e-12) }
    }
  }

  @Test("a saturated sample leaks as exactly as any other", arguments: [1e-26, 1e-60, 1e-120])
  func saturated(factor: Double) throws {
    let model = DenseModel([24, 16, 4], .sigmoid, seed: 9)
    var numbers = SeededNumbers(state: 10)
    let input = numbers.image(24)
    let setting = Setting(factor: factor, knowsWeights: false)
    let knowledge = AttackCatalog.run(on: model.observation([input], [3], setting))
    let found = try #require(knowledge.recoveries[0])
    #expect(relativeError(found.samples[0], input) < 1e-13 && found.isProven)
    #expect(knowledge.labels?.present == [3])
  }

  @Test("without a stated batch size, many active units and classes are proof enough")
  func unstated() throws {
    let model = DenseModel([24, 16, 4], .tanh, seed: 11)
    var numbers = SeededNumbers(state: 12)
    let input = numbers.image(24)
    let setting = Setting(batchSize: nil, steps: nil, reduction: nil, knowsWeights: false)
    let found = try #require(
      AttackCatalog.run(on: model.observation([input], [1], setting)).recoveries[0])
    #expect(found.isProven && relativeError(found.samples[0], input) < 1e-13)
    #expect(found.preconditions.first?.contains("16 active units") == true)
  }

  @Test("the input of the network follows from that of a layer behind rescaling and flattening")
  func rescaled() throws {
    let network = Network(
      "image", input: [4, 4, 1],
      [
        "scale": Rescaling(scale: 0.5, offset: -1), "flat": Flatten(),
        "drop": Dropout(rate: 0.5), "fc": Dense(outputs: 3),
      ])
    let model = DenseModel([16, 3], .linear, seed: 1)
    var observation = model.observation([[Double](repeating: 1, count: 16)], [0])
    observation.network = network
    let map = observation.affineFromInput(to: 3)
    #expect(map?.scale == 0.5 && map?.offset == -1)
    #expect(observation.modelInput(of: 3) == 0)
    observation.isTrainingMode = true
    #expect(observation.affineFromInput(to: 3) == nil)
  }
}
