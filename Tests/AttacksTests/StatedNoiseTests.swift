import Attacks
import Networks
import Testing

@Suite("Noise that is stated")
struct StatedNoiseTests {
  private let model = DenseModel([64, 40, 10], .tanh, seed: 7)

  @Test("stated noise adds to rounding as independent errors do")
  func rounding() throws {
    var numbers = SeededNumbers(state: 1)
    let plain = model.observation([numbers.image(64)], [3])
    let stated = plain.statingNoise(3e-3)
    #expect(plain.noise == nil && stated.noise == 3e-3)
    #expect(!plain.rounding.isEmpty && stated.rounding.count == plain.rounding.count)
    for (key, error) in plain.rounding {
      let sum = (error * error + 9e-6).squareRoot()
      #expect(abs((stated.rounding[key] ?? 0) - sum) < 1e-15)
    }
  }

  @Test("noise that is stated larger than it is costs no proof", arguments: [1e-9, 1e-3, 1, 1e6])
  func overstated(sigma: Double) throws {
    var numbers = SeededNumbers(state: 2)
    let seen = model.observation([numbers.image(64)], [3]).statingNoise(sigma)
    let found = try #require(AttackCatalog.run(on: seen).recoveries[0])
    #expect(found.isProven)
  }

  @Test("no amount of stated noise makes a mixture one sample", arguments: [1e-9, 1e-3, 1, 1e6])
  func mixture(sigma: Double) {
    for seed in UInt64(1)...5 {
      var numbers = SeededNumbers(state: seed)
      let inputs = (0..<4).map { _ in numbers.image(64) }
      for (batchSize, knowsWeights) in [(4, true), (4, false), (nil, true), (nil, false)] {
        let setting = Setting(batchSize: batchSize, reduction: nil, knowsWeights: knowsWeights)
        let seen = model.observation(inputs, [0, 3, 4, 1], setting).statingNoise(sigma)
        for (level, found) in AttackCatalog.run(on: seen).recoveries where found.isProven {
          let truths = inputs.map { model.forward($0).inputs[level == 0 ? 0 : 1] }
          let isTrue = found.samples.allSatisfy { nearest($0, in: truths).error < 1e-6 }
          #expect(isTrue, "\(seed) \(level)")
        }
      }
    }
  }
}
