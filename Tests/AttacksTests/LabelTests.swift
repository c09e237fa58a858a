import Attacks
import AuditModel
import Networks
import Testing

@Suite("Labels")
struct LabelTests {
  /// A batch of 64 images in ten classes, skewed, before an untrained network.
  private func batch(_ seed: UInt64, classes: Int = 10) -> (DenseModel, [[Double]], [Int]) {
    let model = DenseModel([60, 48, classes], .relu, scale: 1, seed: seed)
    var numbers = SeededNumbers(state: seed + 700)
    let inputs = (0..<64).map { _ in numbers.image(60) }
    let labels = (0..<64).map { _ in
      let draws = (0..<2).map { _ in Int.random(in: 0..<classes, using: &numbers) }
      return min(draws[0], draws[1])
    }
    return (model, inputs, labels)
  }

  @Test(
    "counts of a batch of an untrained network are nearly right, and inside their interval",
    arguments: [true, false], [Observation.Reduction.mean, .sum])
  func counts(knowsWeights: Bool, reduction: Observation.Reduction) throws {
    var right = 0
    for seed in UInt64(1)...10 {
      let (model, inputs, labels) = batch(seed)
      let setting = Setting(batchSize: 64, reduction: reduction, knowsWeights: knowsWeights)
      let found = try #require(
        AttackCatalog.run(on: model.observation(inputs, labels, setting)).labels)
      let truth = (0..<10).map { label in labels.count { $0 == label } }
      let counts = try #require(found.counts)
      #expect(counts.reduce(0, +) == 64 && !found.exact)
      right += zip(counts, truth).reduce(0) { $0 + min($1.0, $1.1) }
      let interval = try #require(found.interval)
      for label in truth.indices {
        #expect(interval[label][0] <= truth[label] && truth[label] <= interval[label][1])
        #expect(interval[label][0] <= counts[label] && counts[label] <= interval[label][1])
      }
      #expect(found.present.allSatisfy { truth[$0] > 0 })
    }
    // Nine tenths of ten batches.
    #expect(right >= 576)
  }

  @Test("label smoothing is taken out of counts and of the sign")
  func smoothing() throws {
    var right = 0
    for seed in UInt64(1)...5 {
      let (model, inputs, labels) = batch(seed)
      let setting = Setting(batchSize: 64, smoothing: 0.2)
      let found = try #require(
        AttackCatalog.run(on: model.observation(inputs, labels, setting)).labels?.counts)
      right += (0..<10).reduce(0) { total, label in
        total + min(found[label], labels.count { $0 == label })
      }
      for label in 0..<10 {
        let one = AttackCatalog.run(
          on: model.observation([inputs[0]], [label], Setting(smoothing: 0.2)))
        #expect(one.labels?.present == [label])
      }
    }
    #expect(right >= 288)
  }

  @Test("without a batch size classes are present or unknown, and none is counted")
  func unstated() throws {
    let (model, inputs, labels) = batch(3)
    let setting = Setting(batchSize: nil, steps: nil)
    let found = try #require(
      AttackCatalog.run(on: model.observation(inputs, labels, setting)).labels)
    #expect(found.counts == nil && found.interval == nil && !found.exact)
    #expect(!found.present.isEmpty && found.present.allSatisfy { labels.contains($0) })
  }

  /// Source, sign as the file states it, and the factor that was applied.
  static let signs: [(Observation.Source, Double?, Double)] = [
    (.gradient, 1, 1), (.update, -1, -0.1), (.optimizerSlot(.firstMoment), 1, 0.1),
    (.optimizerSlot(.momentum), -1, -0.1), (.optimizerSlot(.momentum), nil, -0.1),
  ]

  @Test("one of two classes is known if the sign is", arguments: signs, [1, 2])
  func twoClasses(sign: (Observation.Source, Double?, Double), outputs: Int) {
    for label in 0...1 {
      let model = DenseModel(
        [20, 12, outputs], .tanh, head: outputs == 1 ? .sigmoid : .softmax, seed: 6)
      var numbers = SeededNumbers(state: 61)
      for knowsWeights in [true, false] {
        let setting = Setting(
          source: sign.0, sign: sign.1, factor: sign.2, knowsWeights: knowsWeights)
        let knowledge = AttackCatalog.run(
          on: model.observation([numbers.image(20)], [label], setting))
        #expect(knowledge.labels?.present == (sign.1 == nil ? nil : [label]))
        let isSimulated = knowsWeights && sign.0 == .gradient
        if let found = knowledge.recoveries[0]?.labels.first, sign.1 != nil || isSimulated {
          #expect(found == label)
        }
      }
    }
  }

  @Test("three classes need no sign")
  func unsigned() {
    let model = DenseModel([20, 12, 3], .tanh, seed: 6)
    var numbers = SeededNumbers(state: 62)
    for factor in [1.0, -1] {
      let setting = Setting(
        source: .optimizerSlot(.momentum), sign: nil, factor: factor, knowsWeights: false)
      let knowledge = AttackCatalog.run(on: model.observation([numbers.image(20)], [1], setting))
      #expect(knowledge.labels?.present == [1] && knowledge.recoveries[0]?.labels == [1])
    }
  }

  @Test("a regression has no label", arguments: [1, 4])
  func regression(batchSize: Int) {
    var model = DenseModel([20, 12, 1], .tanh, head: .linear, seed: 7)
    model.loss = "mean_squared_error"
    var numbers = SeededNumbers(state: 63)
    let inputs = (0..<batchSize).map { _ in numbers.image(20) }
    let labels = inputs.indices.map { $0 % 2 }
    for knowsWeights in [true, false] {
      let setting = Setting(batchSize: batchSize, knowsWeights: knowsWeights)
      let knowledge = AttackCatalog.run(on: model.observation(inputs, labels, setting))
      #expect(knowledge.labels == nil)
      #expect(knowledge.recoveries[0]?.labels ?? [nil] == [nil])
      #expect((knowledge.recoveries[0] != nil) == (batchSize == 1))
    }
  }

  @Test("entries that do not sum to zero are no softmax, and that is said")
  func notSoftmax() {
    let model = DenseModel([20, 12, 5], .tanh, seed: 8)
    var gradient = model.gradient([[Double](repeating: 0.4, count: 20)], [1])
    gradient[1].bias[0] += 0.3
    let knowledge = AttackCatalog.run(on: model.observation(of: gradient))
    let check = knowledge.preflight.first { $0.check.contains("sums to zero") }
    #expect(check?.status == .warning && knowledge.labels?.exact != true)
    let intact = AttackCatalog.run(
      on: model.observation([[Double](repeating: 0.4, count: 20)], [1]))
    #expect(intact.preflight.first { $0.check.contains("sums to zero") }?.status == .ok)
  }
}
