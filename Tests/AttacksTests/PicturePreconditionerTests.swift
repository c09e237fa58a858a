import Networks
import Testing

@testable import Attacks

@Suite("Preconditioner of pictures")
struct PicturePreconditionerTests {
  struct Layout: Sendable {
    var shape: [Int]
    var isChannelsFirst: Bool
  }
  static let layouts = [
    Layout(shape: [8, 8, 3], isChannelsFirst: false),
    Layout(shape: [3, 8, 8], isChannelsFirst: true),
    Layout(shape: [5, 7, 1], isChannelsFirst: false),
    Layout(shape: [2, 9, 4], isChannelsFirst: true),
    Layout(shape: [4, 3, 5, 2], isChannelsFirst: false),
    Layout(shape: [16, 4], isChannelsFirst: false),
    Layout(shape: [4, 16], isChannelsFirst: true),
  ]

  private static func draws(_ count: Int, seed: UInt64) -> [Double] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in generator.normal() }
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// Sums of at most a hundred terms: some hundred roundings of 1e-16.
  @Test("the basis is orthonormal", arguments: layouts)
  func basis(layout: Layout) {
    let basis = PictureBasis(shape: layout.shape, isChannelsFirst: layout.isChannelsFirst)
    let (v, u) = (Self.draws(basis.count, seed: 1), Self.draws(basis.count, seed: 2))
    #expect(relativeError(basis.values(basis.coefficients(v)), v) < 1e-13)
    let product = Self.dot(basis.coefficients(v), basis.coefficients(u))
    #expect(abs(product - Self.dot(v, u)) < 1e-12 * Self.dot(v.map(abs), u.map(abs)))
  }

  @Test(
    "a grey picture has one coefficient, that of frequency 0 and of the mean", arguments: layouts)
  func grey(layout: Layout) {
    let basis = PictureBasis(shape: layout.shape, isChannelsFirst: layout.isChannelsFirst)
    let found = basis.coefficients(Array(repeating: 1, count: basis.count))
    for (index, coefficient) in found.enumerated() {
      let isMean = basis.squaredFrequencies[index] == 0 && !basis.isDifference[index]
      let expected = isMean ? Double(basis.count).squareRoot() : 0
      #expect(abs(coefficient - expected) < 1e-12 * Double(basis.count))
    }
  }

  /// A transform of it would be 2⁴⁴ numbers.
  @Test("an axis of any length costs no more than its values")
  func longAxis() {
    let basis = PictureBasis(shape: [1 << 22, 1], isChannelsFirst: false)
    let values = Self.draws(1 << 22, seed: 7)
    #expect(basis.coefficients(values) == values)
    #expect(basis.squaredFrequencies.allSatisfy { $0 == 0 })
  }

  @Test("both orders of axes give the same picture")
  func orders() {
    let (height, width, channels) = (6, 5, 3)
    let last = Self.draws(height * width * channels, seed: 3)
    func first(_ values: [Double]) -> [Double] {
      (0..<channels).flatMap { channel in
        (0..<height * width).map { values[$0 * channels + channel] }
      }
    }
    let one = PicturePreconditioner(
      shape: [height, width, channels], isChannelsFirst: false, exponent: 1)
    let other = PicturePreconditioner(
      shape: [channels, height, width], isChannelsFirst: true, exponent: 1)
    #expect(relativeError(other(first(last)), first(one(last))) < 1e-14)
  }

  @Test("every sample is treated as if alone, and what lies behind them is left alone")
  func samples() {
    let shape = [4, 4, 2]
    let alone = PicturePreconditioner(shape: shape, isChannelsFirst: false, exponent: 0.5)
    let both = PicturePreconditioner(
      shape: shape, isChannelsFirst: false, samples: 2, exponent: 0.5)
    let (a, b, rest) = (Self.draws(32, seed: 4), Self.draws(32, seed: 5), [1.5, -2])
    #expect(both(a + b + rest) == alone(a) + alone(b) + rest)
    // A vector has no frequencies.
    let vector = PicturePreconditioner(shape: [32], isChannelsFirst: true, exponent: 1)
    #expect(relativeError(vector(a), a) < 1e-14)
  }

  /// `½ Σ c² / w` over the coefficients `c` of the distance from a picture: the Hessian is what the
  /// preconditioner takes it for.
  private final class Bowl: MatchingObjective {
    let basis = PictureBasis(shape: [16, 16, 3], isChannelsFirst: false)
    let bottom = draws(768, seed: 6)
    var count: Int { basis.count }

    func evaluate(at x: [Double]) -> (objective: Double, gradient: [Double]) {
      let distances = basis.coefficients(zip(x, bottom).map { $0 - $1 })
      let slopes = distances.indices.map { index in
        let frequency = 1 + Double(basis.squaredFrequencies[index]).squareRoot() / 2
        return distances[index] * frequency * frequency * (basis.isDifference[index] ? 9 : 1)
      }
      return (dot(distances, slopes) / 2, basis.values(slopes))
    }
  }

  /// The first step guesses its length, the second knows it; single steps of rounding may follow.
  @Test("a search with the right preconditioner is at the bottom in three steps")
  func search() throws {
    let bowl = Bowl()
    let preconditioner = PicturePreconditioner(
      shape: [16, 16, 3], isChannelsFirst: false, exponent: 1)
    let start = Array(repeating: 0.0, count: bowl.count)
    var (with, without) = (LBFGS(from: start), LBFGS(from: start))
    for _ in 0..<3 {
      _ = try with.step(on: bowl, preconditioner: preconditioner)
      _ = try without.step(on: bowl)
    }
    let height = bowl.evaluate(at: start).objective
    #expect(try #require(with.objective) < 1e-20 * height)
    #expect(try #require(without.objective) > 1e-3 * height)
  }
}
