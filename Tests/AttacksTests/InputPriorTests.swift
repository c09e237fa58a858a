import Attacks
import Networks
import Testing

@Suite("Prior of an input")
struct InputPriorTests {
  private static let shapes = [[8, 8, 3], [5, 7, 1], [16, 4], [6]]

  private static func draws(_ count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in generator.normal() }
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Sums of at most 64 terms, twice: some hundred roundings of 1e-16.
  @Test(
    "whitening and colouring undo each other, and both have the transposes they claim",
    arguments: shapes)
  func transforms(shape: [Int]) {
    let count = shape.reduce(1, *)
    let prior = InputPrior(shape: shape, mean: 0.5, deviation: 0.25)
    let (v, u) = (Self.draws(count, seed: 1), Self.draws(count, seed: 2))
    #expect(relativeError(prior.colored(prior.whitened(v)), v) < 1e-13)
    let pairs = [
      (Self.dot(prior.whitened(v), u), Self.dot(v, prior.whitenedTranspose(u))),
      (Self.dot(prior.colored(v), u), Self.dot(v, prior.coloredTranspose(u))),
    ]
    for (left, right) in pairs {
      #expect(abs(left - right) < 1e-11 * (abs(left) + abs(right) + 1))
    }
  }

  /// 12,288 coefficients, of which a few low frequencies carry most: a draw varies by some ten percent.
  @Test("a draw is as large as stated, and smoother than noise")
  func draw() {
    let shape = [64, 64, 3]
    let prior = InputPrior(shape: shape, mean: 0, deviation: 0.25)
    var (energy, steps) = (0.0, 0.0)
    for seed in UInt64(1)...8 {
      let picture = prior.colored(Self.draws(64 * 64 * 3, seed: seed))
      energy += Self.dot(picture, picture) / Double(picture.count)
      let moved = zip(picture, picture.dropFirst(3)).map { $1 - $0 }
      steps += Self.dot(moved, moved) / Double(moved.count)
    }
    #expect((0.15...0.4).contains((energy / 8).squareRoot()))
    // Independent entries would have steps of twice their variance.
    #expect(steps < 0.5 * energy)
  }

  /// Each octave has 8 or more coefficients here but the lowest, whose share of the whole is small.
  @Test("an input of independent entries makes the prior flat")
  func adapts() {
    let shape = [32, 32, 3]
    var prior = InputPrior(shape: shape, mean: 0, deviation: 0.25)
    let noise = Self.draws(32 * 32 * 3, seed: 3)
    prior.adapt(to: noise, spread: noise.map { _ in 0 })
    #expect(abs(prior.detail - 1) < 0.05)
    let white = prior.whitened(noise)
    #expect(abs(Self.dot(white, white) / Double(white.count) - 1) < 1e-12)
  }
}
