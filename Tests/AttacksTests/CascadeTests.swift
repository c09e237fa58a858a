import Attacks
import AuditModel
import Networks
import Tensors
import Testing

/// From the gradient of one picture to the picture.
@Suite("Cascade")
struct CascadeTests {
  /// Single precision leaves 3e-8 on every entry of the gradient; each layer of these networks amplifies
  /// errors less than tenfold, and noise of independent entries averages out.
  @Test("the picture follows from a gradient in single precision", arguments: CascadeNetwork.all)
  func singlePrecision(subject: CascadeNetwork) throws {
    try verify(subject, .float32, error: 1e-6, certificate: 0x1p-23)
  }

  /// The same in double precision, with rounding of 1e-16 and thousands of operations.
  @Test(
    "the picture follows to the last digits from an exact gradient",
    arguments: CascadeNetwork.all.filter {
      ["groups", "two branches side by side", "permuted and reshaped"].contains($0.description)
    })
  func doublePrecision(subject: CascadeNetwork) throws {
    try verify(subject, .float64, error: 1e-13, certificate: 1e-14)
  }

  private func verify(
    _ subject: CascadeNetwork, _ kind: ElementKind, error: Double, certificate: Double
  ) throws {
    let sample = try GradientSample(
      subject.network, subject.initialization, convention: subject.convention)
    let knowledge = sample.observation(kind).attacked()
    let chain = try #require(knowledge.chain)
    #expect(chain.reachesInput)
    for step in chain.steps {
      let expected = subject.outcomes[step.layer] ?? .exact
      #expect(step.outcome == expected, "\(step.layer): \(step.note)")
      #expect((step.rank == step.unknowns) == (expected == .exact), "\(step.layer)")
    }
    #expect(Set(subject.outcomes.keys).isSubset(of: chain.steps.map(\.layer)))
    #expect((chain.stop != nil) == subject.outcomes.values.contains(.subspace))

    let picture = try #require(knowledge.picture)
    #expect(picture.node == 0 && picture.isProven && picture.samples.count == 1)
    #expect(picture.certificates.allSatisfy { $0 <= certificate })
    #expect(relativeError(picture.samples[0], sample.inputs[0]) < error)
    // One draw of noise against another, both of which few directions dominate.
    let measured = Self.error(picture, sample)
    #expect(
      (0.25...8).contains(picture.predictedError / measured), "predicted \(picture.predictedError)")
  }

  /// The root-mean-square error of an entry.
  private static func error(_ picture: Knowledge.Recovery, _ sample: GradientSample) -> Double {
    let gaps = zip(picture.samples[0], sample.inputs[0]).map { $0 - $1 }
    return (gaps.reduce(0) { $0 + $1 * $1 } / Double(gaps.count)).squareRoot()
  }

  @Test("equal observations give equal pictures")
  func determinism() throws {
    let observation = try GradientSample(CascadeNetwork.residual).observation()
    let samples = (0..<2).map { _ in observation.attacked().picture?.samples }
    #expect(samples[0] != nil && samples[0] == samples[1])
  }

  /// One draw of 432 entries against one prediction, which itself rests on a few draws.
  @Test("stated noise leaves a picture as far off as predicted")
  func statedNoise() throws {
    let sample = try GradientSample(
      CascadeNetwork.leNet(.sigmoid, isFirst: true), .uniform)
    var generator = SplitMix64(seed: 3)
    let sigma = 1e-6
    let noisy = sample.gradient.mapped(.float64) { _, x in x + sigma * generator.normal() }
    let knowledge = sample.observation(of: noisy).statingNoise(sigma).attacked()
    let picture = try #require(knowledge.picture)
    let measured = Self.error(picture, sample)
    #expect((0.5...2).contains(picture.predictedError / measured))
  }
}
