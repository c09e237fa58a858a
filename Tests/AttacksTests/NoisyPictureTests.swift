import Attacks
import AuditModel
import Networks
import Tensors
import Testing

/// Pictures of which noise, coarse numbers or dropped entries leave an estimate.
@Suite("Pictures under noise")
struct NoisyPictureTests {
  private static func sample(_ function: ActivationFunction) throws -> GradientSample {
    try GradientSample(CascadeNetwork.leNet(function, isFirst: true), .uniform)
  }

  /// The deviation of noise that is `share` times as long as the gradient.
  private static func deviation(_ share: Double, _ sample: GradientSample) -> Double {
    let tensors = sample.gradient.tensors.map(\.value)
    let square = tensors.reduce(0) { $0 + $1.summary().norm * $1.summary().norm }
    return share * (square / Double(tensors.reduce(0) { $0 + $1.count })).squareRoot()
  }

  private static func noisy(_ share: Double, _ sample: GradientSample) -> Observation {
    var generator = SplitMix64(seed: 3)
    let sigma = deviation(share, sample)
    let gradient = sample.gradient.mapped(.float64) { _, x in x + sigma * generator.normal() }
    return sample.observation(of: gradient)
  }

  private static func error(_ picture: Knowledge.Recovery, _ sample: GradientSample) -> Double {
    let gaps = zip(picture.samples[0], sample.inputs[0]).map { $0 - $1 }
    return (gaps.reduce(0) { $0 + $1 * $1 } / Double(gaps.count)).squareRoot()
  }

  /// One draw of 432 entries against one prediction.
  @Test("the error is as predicted, whatever the noise", arguments: [1e-7, 1e-5, 1e-4, 1e-3])
  func predicted(share: Double) throws {
    let sample = try Self.sample(.sigmoid)
    let seen = Self.noisy(share, sample).statingNoise(Self.deviation(share, sample))
    let picture = try #require(seen.attacked().picture)
    #expect((0.5...2).contains(picture.predictedError / Self.error(picture, sample)))
    #expect(share < 1e-4 || !picture.isProven)
  }

  @Test("noise that is not stated is read off the output layer")
  func unstated() throws {
    let sample = try Self.sample(.sigmoid)
    let picture = try #require(Self.noisy(1e-4, sample).attacked().picture)
    #expect(!picture.isProven)
    #expect((0.5...2).contains(picture.predictedError / Self.error(picture, sample)))
  }

  /// With the factor between features and loss gradient as the bias gradient shows it, the error is
  /// twice as large: 9.4e-5.
  @Test("half precision leaves an error as predicted")
  func halfPrecision() throws {
    let sample = try Self.sample(.sigmoid)
    let picture = try #require(sample.observation(.float16).attacked().picture)
    #expect(!picture.isProven)
    #expect(Self.error(picture, sample) < 7e-5)
    #expect((0.5...2).contains(picture.predictedError / Self.error(picture, sample)))
  }

  @Test("noise as long as the gradient leaves no picture to claim")
  func hidden() throws {
    let sample = try Self.sample(.sigmoid)
    let seen = Self.noisy(1, sample).statingNoise(Self.deviation(1, sample))
    let knowledge = seen.attacked()
    #expect(knowledge.picture == nil)
    // That it would have been wrong was known, as one draw knows it.
    let withheld = try #require(knowledge.withheld)
    #expect((0.3...3).contains(withheld.predictedError / Self.error(withheld, sample)))
  }

  @Test("weights of another network give no picture, noise or not")
  func otherWeights() throws {
    let (sample, other) = (
      try Self.sample(.sigmoid),
      try GradientSample(CascadeNetwork.leNet(.sigmoid, isFirst: true), .uniform, seed: 6)
    )
    var seen = Self.noisy(1e-3, sample).statingNoise(Self.deviation(1e-3, sample))
    seen.weights = other.weights
    if let picture = seen.attacked().picture {
      #expect(!picture.isProven)
      #expect(picture.predictedError > 0.3 * Self.error(picture, sample))
    }
  }

  @Test("a gradient of which the largest entries were kept is told from one with silent units")
  func sparsity() throws {
    let sample = try Self.sample(.relu)
    #expect(Sparsity(sample.gradient) == nil)
    let sizes = sample.gradient.tensors.flatMap { $0.value.elements() }.map(abs).sorted()
    let least = sizes[sizes.count * 9 / 10]
    let kept = sample.gradient.mapped(.float32) { _, x in abs(x) >= least ? x : 0 }
    let found = try #require(Sparsity(kept))
    #expect(abs(found.threshold - least) <= 1e-6 * least)
  }
}
