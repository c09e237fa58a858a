import Attacks
import AuditModel
import Networks
import Testing

@Suite("Batches")
struct BatchTests {
  /// A batch, and the units of the first layer that each of its samples alone activates.
  private struct Batch {
    var model: DenseModel
    var inputs: [[Double]]
    var labels: [Int]
    var ownUnits: [Int]

    init(_ size: Int, widths: [Int], _ function: ActivationFunction, seed: UInt64) {
      let model = DenseModel(widths, function, seed: seed)
      var numbers = SeededNumbers(state: seed &+ 1_000)
      let inputs = (0..<size).map { _ in numbers.uniform(widths[0]) }
      let labels = (0..<size).map { $0 % model.classes }
      let isOn = zip(inputs, labels).map { input, label in
        model.outputGradients(input, label)[0].map { $0 != 0 }
      }
      (self.model, self.inputs, self.labels) = (model, inputs, labels)
      ownUnits = isOn.indices.map { sample in
        isOn[sample].indices.count { unit in
          isOn.indices.allSatisfy { isOn[$0][unit] == ($0 == sample) }
        }
      }
    }

    /// Which of the samples were recovered; fails for a recovery that is none of them.
    func matched(_ found: Knowledge.Recovery?) -> Set<Int> {
      Set(
        (found?.samples ?? []).map { sample in
          let best = nearest(sample, in: inputs)
          // Own rows divide by a bias gradient that may be 1e-5 of the largest.
          #expect(best.error < 1e-10)
          return best.index
        })
    }
  }

  @Test(
    "behind ReLU exactly the samples with units of their own are recovered",
    arguments: [2, 4, 8, 16], [UInt64(1), 2, 3])
  func ownUnits(size: Int, seed: UInt64) throws {
    let batch = Batch(size, widths: [40, 64, 6], .relu, seed: seed)
    for knowsWeights in [false, true] {
      for batchSize in [size, nil] {
        let setting = Setting(batchSize: batchSize, knowsWeights: knowsWeights)
        let knowledge = AttackCatalog.run(
          on: batch.model.observation(batch.inputs, batch.labels, setting))
        let found = knowledge.recoveries[0]
        let matched = batch.matched(found)
        #expect(matched.count == found?.samples.count ?? 0 && found?.isProven != false)
        for sample in 0..<size {
          if batch.ownUnits[sample] >= 2 { #expect(matched.contains(sample)) }
          if batch.ownUnits[sample] == 0 { #expect(!matched.contains(sample)) }
        }
        for (sample, label) in zip(found?.samples ?? [], found?.labels ?? []) {
          #expect(label == batch.labels[nearest(sample, in: batch.inputs).index])
        }
      }
    }
  }

  @Test("a wholly recovered batch gives all labels exactly and the gradient again")
  func wholeBatch() throws {
    let batch = Batch(3, widths: [40, 96, 6], .relu, seed: 4)
    try #require(batch.ownUnits.allSatisfy { $0 >= 2 })
    let knowledge = AttackCatalog.run(
      on: batch.model.observation(batch.inputs, batch.labels, Setting(batchSize: 3)))
    #expect(knowledge.recoveries[0]?.samples.count == 3)
    #expect(knowledge.labels?.counts == [1, 1, 1, 0, 0, 0] && knowledge.labels?.exact == true)
    #expect((knowledge.networkCertificate ?? 1) < 1e-9)
  }

  @Test("a sample that owns one unit is completed by the next layer")
  func loneUnit() throws {
    // Batches in which every sample but one owns at least two units, and that one exactly one.
    let batches = (UInt64(1)...400).lazy
      .map { Batch(4, widths: [40, 24, 8], .relu, seed: $0) }
      .filter { $0.ownUnits.sorted()[0] == 1 && $0.ownUnits.sorted()[1] >= 2 }
    var completed = 0
    for batch in batches.prefix(5) {
      let setting = Setting(batchSize: 4, knowsWeights: false)
      let knowledge = AttackCatalog.run(
        on: batch.model.observation(batch.inputs, batch.labels, setting))
      let found = try #require(knowledge.recoveries[0])
      let matched = batch.matched(found)
      guard matched.count == 4 else { continue }
      completed += 1
      #expect(found.method == "lone-unit-completion" && found.isProven)
      #expect(knowledge.labels?.counts == (0..<8).map { $0 < 4 ? 1 : 0 })
    }
    #expect(completed == 5)
  }

  @Test("behind tanh nothing of a batch is recovered", arguments: [2, 4, 8])
  func tanh(size: Int) {
    let batch = Batch(size, widths: [40, 64, 6], .tanh, seed: 5)
    for batchSize in [size, nil] {
      let knowledge = AttackCatalog.run(
        on: batch.model.observation(batch.inputs, batch.labels, Setting(batchSize: batchSize)))
      #expect(knowledge.recoveries.isEmpty)
      #expect(knowledge.verdicts[0]?.leak == .partial)
      let rank = knowledge.verdicts[0]?.measurements.first?.value
      #expect(rank?.hasPrefix("\(size) ") == true)
    }
  }

  @Test(
    "with one or two classes only true samples are certified, by the weights",
    arguments: [1, 2], [UInt64(1), 2, 3, 4])
  func clusterCertificates(classes: Int, seed: UInt64) {
    var batch = Batch(4, widths: [40, 64, classes], .relu, seed: seed)
    batch.model.levels[1].function = classes == 1 ? .sigmoid : .softmax
    batch.labels = [0, 1, 1, 0]
    let knowledge = AttackCatalog.run(
      on: batch.model.observation(batch.inputs, batch.labels, Setting(batchSize: 4)))
    let found = knowledge.recoveries[0]
    let matched = batch.matched(found)
    #expect(found?.isProven != false && matched.count == found?.samples.count ?? 0)
    for sample in 0..<4 where batch.ownUnits[sample] >= 2 { #expect(matched.contains(sample)) }
    for (sample, label) in zip(found?.samples ?? [], found?.labels ?? []) {
      #expect(label == batch.labels[nearest(sample, in: batch.inputs).index])
    }
  }

  @Test("without the weights groups of units of a one- or two-class batch are no recovery")
  func withoutCertificates() {
    for classes in [1, 2] {
      var batch = Batch(4, widths: [40, 64, classes], .relu, seed: 1)
      batch.model.levels[1].function = classes == 1 ? .sigmoid : .softmax
      batch.labels = [0, 1, 1, 0]
      let setting = Setting(batchSize: 4, knowsWeights: false)
      let knowledge = AttackCatalog.run(
        on: batch.model.observation(batch.inputs, batch.labels, setting))
      #expect(knowledge.recoveries[0] == nil && knowledge.verdicts[0]?.leak == .partial)
    }
  }
}
