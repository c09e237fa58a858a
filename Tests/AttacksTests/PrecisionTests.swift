import Attacks
import AuditModel
import Networks
import Tensors
import Testing

@Suite("Rounded, noised, sparsified and clipped gradients")
struct PrecisionTests {
  @Test(
    "a rounded gradient is recovered to its own precision",
    arguments: [ElementKind.float32, .float16, .bfloat16])
  func rounded(kind: ElementKind) throws {
    for seed in UInt64(1)...5 {
      let model = DenseModel([50, 32, 6], .tanh, seed: seed)
      var numbers = SeededNumbers(state: seed + 40)
      let input = numbers.image(50)
      let setting = Setting(knowsWeights: false, precision: kind)
      let knowledge = AttackCatalog.run(on: model.observation([input], [3], setting))
      let found = try #require(knowledge.recoveries[0])
      #expect(found.isProven && found.labels == [3])
      let certificate = try #require(found.certificates.first)
      // One rounding of every product: rms u/√3 of its size, and cutting off doubles it.
      let unit = kind.unitRoundoff
      #expect(certificate > unit / 16 && certificate < 2 * unit)
      let error = relativeError(found.samples[0], input)
      #expect(error < 2 * unit)
      let rms = (input.reduce(0) { $0 + $1 * $1 } / 50).squareRoot()
      let ratio = found.predictedError / (error * rms)
      #expect(ratio > 0.3 && ratio < 8)
    }
  }

  @Test("half-precision clusters are still whole samples")
  func roundedBatch() {
    let model = DenseModel([60, 128, 6], .relu, seed: 3)
    var numbers = SeededNumbers(state: 44)
    let inputs = (0..<3).map { _ in numbers.uniform(60) }
    let setting = Setting(batchSize: 3, knowsWeights: false, precision: .float32)
    let found = AttackCatalog.run(on: model.observation(inputs, [0, 1, 2], setting)).recoveries[0]
    #expect(found?.samples.count == 3)
    for sample in found?.samples ?? [] { #expect(nearest(sample, in: inputs).error < 1e-5) }
  }

  @Test(
    "the predicted error under noise is the measured one within a factor of two",
    arguments: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
  func noise(level: Double) throws {
    let ratios = try (UInt64(1)...20).map { seed -> Double in
      let model = DenseModel([64, 40, 10], .tanh, seed: seed)
      var numbers = SeededNumbers(state: seed + 300)
      let input = numbers.image(64)
      let gradient = model.gradient([input], [Int(seed) % 10]).map { $0.noised(level, &numbers) }
      let knowledge = AttackCatalog.run(
        on: model.observation(of: gradient, Setting(knowsWeights: false)))
      let found = try #require(knowledge.recoveries[0])
      #expect(!found.isProven)
      let energy = zip(found.samples[0], input).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return found.predictedError / (energy / 64).squareRoot()
    }
    #expect(median(ratios) > 0.5 && median(ratios) < 2)
  }

  @Test("noise as large as the gradient hides the input, and that is said")
  func drowned() {
    var hidden = 0
    for seed in UInt64(1)...10 {
      let model = DenseModel([64, 40, 10], .tanh, seed: seed)
      var numbers = SeededNumbers(state: seed + 300)
      let gradient = model.gradient([numbers.image(64)], [1]).map { $0.noised(30, &numbers) }
      let knowledge = AttackCatalog.run(
        on: model.observation(of: gradient, Setting(knowsWeights: false)))
      #expect(knowledge.recoveries[0]?.isProven != true)
      if knowledge.recoveries[0] == nil { hidden += 1 }
    }
    // A tenth may pass by chance: the test on the error compares two estimates.
    #expect(hidden >= 9)
  }

  @Test(
    "the largest tenth of the entries determines their inputs exactly",
    arguments: [UInt64(1), 2, 3])
  func sparsified(seed: UInt64) throws {
    let model = DenseModel([200, 64, 10], .tanh, seed: seed)
    var numbers = SeededNumbers(state: seed + 50)
    let input = numbers.image(200)
    let gradient = model.gradient([input], [4]).map { $0.keepingLargest(tenths: 1) }
    let knowledge = AttackCatalog.run(
      on: model.observation(of: gradient, Setting(knowsWeights: false)))
    let found = try #require(knowledge.recoveries[0])
    let isDetermined = try #require(found.isDetermined)
    #expect(found.method == "sparse-gradient-completion" && found.isProven)
    let bound = try #require(
      found.measurements.first { $0.name == "bound on the other values" }.flatMap {
        Double($0.value)
      })
    #expect(isDetermined.contains(true) && isDetermined.contains(false))
    for (index, isKnown) in isDetermined.enumerated() {
      if isKnown {
        #expect(abs(found.samples[0][index] - input[index]) < 1e-12)
      } else {
        // The bound is shown with three digits.
        #expect(input[index] <= bound * 1.01)
      }
    }
  }

  @Test("clipping the norm changes nothing but the norm")
  func clipped() throws {
    let model = DenseModel([50, 32, 6], .relu, seed: 5)
    var numbers = SeededNumbers(state: 45)
    let input = numbers.image(50)
    let gradient = model.gradient([input], [2])
    let energy = gradient.reduce(0.0) { total, level in
      (level.weights.joined() + level.bias).reduce(total) { $0 + $1 * $1 }
    }
    let observation = model.observation(of: gradient, Setting(factor: 1 / energy.squareRoot()))
    let knowledge = AttackCatalog.run(on: observation)
    let found = try #require(knowledge.recoveries[0])
    #expect(relativeError(found.samples[0], input) < 1e-13 && found.isProven)
    #expect(knowledge.labels?.present == [2])
    let scale = PreflightCatalog.run(on: observation).first { $0.check == "sign and scale" }
    #expect(scale?.status == .warning && scale?.explanation?.contains("clipped") == true)
  }
}

extension DenseModel.LevelGradient {
  /// Normal noise on every entry, `level` times the root mean square of the weights' gradient.
  fileprivate func noised(_ level: Double, _ numbers: inout SeededNumbers) -> Self {
    let entries = weights.flatMap { $0 }
    let sigma = level * (entries.reduce(0) { $0 + $1 * $1 } / Double(entries.count)).squareRoot()
    var noised = self
    for row in weights.indices {
      noised.bias[row] += sigma * numbers.normal()
      for column in weights[row].indices { noised.weights[row][column] += sigma * numbers.normal() }
    }
    return noised
  }

  /// Zeroes all but the largest entries of each tensor.
  fileprivate func keepingLargest(tenths: Int) -> Self {
    func threshold(_ values: [Double]) -> Double {
      values.map(\.magnitude).sorted(by: >)[max(values.count * tenths / 10, 1) - 1]
    }
    let (weight, own) = (threshold(weights.flatMap { $0 }), threshold(bias))
    return Self(
      weights: weights.map { $0.map { abs($0) >= weight ? $0 : 0 } },
      bias: bias.map { abs($0) >= own ? $0 : 0 })
  }
}
