import Attacks
import AuditModel
import CPUBackend
import Networks
import Tensors
import Testing

@Suite("Ladders of biases")
struct ImprintTests {
  private static let (samples, bins, inputs) = (64, 128, 48)

  /// A network whose first layer measures the mean of its input against `bins` thresholds between
  /// them at equal shares of the samples' law.
  private func model(_ seed: UInt64) -> (model: DenseModel, inputs: [[Double]], labels: [Int]) {
    var numbers = SeededNumbers(state: seed)
    let images = (0..<Self.samples).map { _ in
      let brightness = Double.random(in: 0.1..<0.9, using: &numbers)
      return numbers.uniform(Self.inputs, within: 0.1).map { brightness + $0 }
    }
    var model = DenseModel([Self.inputs, Self.bins, 32, 10], .relu, seed: seed)
    let share = 1 / Double(Self.inputs)
    model.levels[0].weights = model.levels[0].weights.map { $0.map { _ in share } }
    // The mean of an image is nearly uniform between 0.1 and 0.9.
    model.levels[0].bias = (0..<Self.bins).map { -0.1 - 0.8 * Double($0) / Double(Self.bins) }
    model.levels[1].weights = model.levels[1].weights.map { row in row.map { _ in row[0] } }
    let labels = (0..<Self.samples).map { $0 % 10 }
    return (model, images, labels)
  }

  @Test(
    "of 64 samples in 128 bins those alone in a bin are proven, and no mixture is",
    arguments: [UInt64(1), 2, 3])
  func isolated(seed: UInt64) throws {
    let (model, images, labels) = model(seed)
    var setting = Setting(batchSize: Self.samples)
    setting.precision = .float32
    let knowledge = AttackCatalog.run(
      on: model.observation(images, labels, setting), backend: CPUBackend(threads: 1))
    let found = try #require(knowledge.recoveries[0])
    #expect(found.isProven && found.method == "imprint-bins")
    let alone = isolated(images)
    var matched: Set<Int> = []
    for (index, sample) in found.samples.enumerated() {
      let best = nearest(sample, in: images)
      // 70 dB is a root-mean-square error of 3e-4, on values below 1.
      #expect(best.error < 3e-4)
      #expect(found.labels[index] == labels[best.index])
      matched.insert(best.index)
    }
    #expect(matched.count == found.samples.count && matched.isSubset(of: alone))
    // Of a sample with next to no gradient, rounding of the sums leaves nothing.
    let slopes = zip(images, labels).map { model.outputGradients($0, $1)[0].map(abs).max() ?? 0 }
    let largest = slopes.max() ?? 0
    for sample in alone.subtracting(matched) { #expect(slopes[sample] < 0.05 * largest) }
    #expect(alone.count > Self.samples / 3)
  }

  @Test("without a backend nothing is called proven")
  func noBackend() {
    let (model, images, labels) = model(1)
    let knowledge = AttackCatalog.run(
      on: model.observation(images, labels, Setting(batchSize: Self.samples)))
    #expect(knowledge.recoveries[0]?.isProven != true)
  }

  @Test("a layer as drawn has no ladder")
  func honest() {
    let model = DenseModel([Self.inputs, Self.bins, 10], .relu, seed: 1)
    var numbers = SeededNumbers(state: 9)
    let images = (0..<8).map { _ in numbers.image(Self.inputs) }
    let knowledge = AttackCatalog.run(
      on: model.observation(images, Array(0..<8), Setting(batchSize: 8)),
      backend: CPUBackend(threads: 1))
    #expect(knowledge.recoveries[0]?.method != "imprint-bins")
  }

  /// The samples that share their bin with no other.
  private func isolated(_ images: [[Double]]) -> Set<Int> {
    let places = images.map { image in
      let mean = image.reduce(0, +) / Double(image.count)
      return Int(((mean - 0.1) / 0.8 * Double(Self.bins)).rounded(.down))
    }
    return Set(places.indices.filter { index in places.count { $0 == places[index] } == 1 })
  }
}
