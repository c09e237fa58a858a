import Attacks
import AuditModel
import Networks
import Tensors
import Testing

/// Gradients of several samples that look like one sample; calling them proven is a false alarm.
@Suite("Mixtures that look like a sample")
struct TrapTests {
  /// Batches of four random samples with labels of both classes.
  private func proven(
    _ model: DenseModel, _ setting: Setting, labels: [Int] = [0, 1, 1, 0], seed: UInt64
  ) -> [Knowledge.Recovery] {
    var numbers = SeededNumbers(state: seed + 500)
    let inputs = (0..<4).map { _ in numbers.image(model.levels[0].weights[0].count) }
    let truths = model.levels.indices.map { level in
      inputs.map { model.forward($0).inputs[level] }
    }
    let knowledge = AttackCatalog.run(on: model.observation(inputs, labels, setting))
    if let found = knowledge.labels, found.exact {
      #expect(found.present == Set(labels).sorted(), "labels \(seed)")
    }
    return model.levels.indices.compactMap { level in
      guard let found = knowledge.recoveries[model.node(level)], found.isProven else { return nil }
      let isTrue = found.samples.allSatisfy { nearest($0, in: truths[level]).error < 1e-6 }
      return isTrue ? nil : found
    }
  }

  static let settings = [
    Setting(batchSize: 4), Setting(batchSize: 4, knowsWeights: false),
    Setting(batchSize: nil, steps: nil, reduction: nil),
    Setting(batchSize: nil, steps: nil, reduction: nil, knowsWeights: false),
    Setting(batchSize: 4, source: .update, sign: -1, factor: -0.01),
    Setting(batchSize: 4, reduction: .sum),
  ]
  static let functions: [ActivationFunction] = [.linear, .relu, .tanh, .leakyReLU(slope: 0.2)]

  @Test("a single output never proves a mixture", arguments: settings, functions)
  func singleOutput(setting: Setting, function: ActivationFunction) {
    for seed in UInt64(1)...5 {
      for widths in [[20, 1], [20, 16, 1], [20, 32, 12, 1]] {
        let model = DenseModel(widths, function, head: .sigmoid, seed: seed)
        #expect(proven(model, setting, seed: seed).isEmpty, "\(widths) \(seed)")
      }
    }
  }

  @Test("a mixture over many optimiser steps is not even an estimate of an input")
  func manySteps() {
    var numbers = SeededNumbers(state: 9)
    let inputs = (0..<4).map { _ in numbers.image(20) }
    let model = DenseModel([20, 1], .linear, head: .sigmoid, seed: 4)
    let setting = Setting(
      batchSize: nil, steps: 209_049, source: .optimizerSlot(.firstMoment), knowsWeights: false)
    let knowledge = AttackCatalog.run(on: model.observation(inputs, [0, 1, 1, 0], setting))
    #expect(knowledge.recoveries.isEmpty)
    #expect(knowledge.verdicts[model.node(0)]?.leak == .partial)
  }

  @Test("two classes never prove a mixture", arguments: settings, functions)
  func twoClasses(setting: Setting, function: ActivationFunction) {
    for seed in UInt64(1)...5 {
      for widths in [[20, 2], [20, 16, 2], [20, 32, 12, 2]] {
        let model = DenseModel(widths, function, seed: seed)
        #expect(proven(model, setting, seed: seed).isEmpty, "\(widths) \(seed)")
      }
    }
  }

  @Test("a hidden layer of one unit never proves a mixture", arguments: settings, functions)
  func bottleneck(setting: Setting, function: ActivationFunction) {
    for seed in UInt64(1)...5 {
      for widths in [
        [20, 16, 1, 5], [20, 1, 5], [20, 16, 12, 1, 6, 5], [20, 24, 2, 5], [20, 24, 3, 5],
        [20, 24, 8, 5],
      ] {
        let model = DenseModel(widths, function, seed: seed)
        let found = proven(model, setting, labels: [0, 3, 4, 1], seed: seed)
        #expect(found.isEmpty, "\(widths) \(seed)")
      }
    }
  }

  @Test("a bottleneck without bias never proves a mixture", arguments: settings)
  func biasFreeBottleneck(setting: Setting) {
    for seed in UInt64(1)...5 {
      for widths in [[20, 16, 1, 5], [20, 12, 2]] {
        let model = DenseModel(widths, .linear, hasBias: false, seed: seed)
        #expect(proven(model, setting, labels: [0, 1, 1, 0], seed: seed).isEmpty, "\(widths)")
      }
    }
  }

  @Test("training noise in front of batch normalisation gives no input", arguments: [1, 32, nil])
  func normalizationNoise(batchSize: Int?) {
    let model = DenseModel([20, 16, 5], .relu, seed: 5)
    var numbers = SeededNumbers(state: 6)
    var gradient = model.gradient([numbers.image(20)], [1])
    gradient[0].weights = gradient[0].weights.map { _ in numbers.uniform(20) }
    gradient[0].bias = gradient[0].bias.map { _ in 1e-9 * numbers.normal() }
    // Half precision holds nothing that small; loss scaling is what keeps it.
    for (kind, factor) in [(ElementKind.float32, 1.0), (.float16, 1_024)] {
      let setting = Setting(batchSize: batchSize, factor: factor, precision: kind)
      let observation = model.observation(of: gradient, setting)
      let knowledge = AttackCatalog.run(on: observation)
      #expect(knowledge.recoveries[0] == nil && knowledge.verdicts[0]?.leak == .inconclusive)
    }
  }

  @Test(
    "a silent or damaged gradient is inconclusive, never harmless",
    arguments: [0, .nan, .infinity])
  func damaged(value: Double) {
    for hasBias in [true, false] {
      let model = DenseModel([20, 16, 5], .tanh, hasBias: hasBias, seed: 7)
      var gradient = model.gradient([[Double](repeating: 0.5, count: 20)], [1])
      if value == 0 {
        for level in gradient.indices {
          gradient[level].weights = gradient[level].weights.map { $0.map { _ in 0 } }
          gradient[level].bias = gradient[level].bias.map { _ in 0 }
        }
      } else {
        for level in gradient.indices { gradient[level].weights[2][3] = value }
      }
      for batchSize in [1, 4, nil] {
        let knowledge = AttackCatalog.run(
          on: model.observation(of: gradient, Setting(batchSize: batchSize)))
        #expect(knowledge.recoveries.isEmpty)
        #expect(knowledge.verdicts[0]?.leak == .inconclusive, "bias \(hasBias)")
      }
    }
  }
}
