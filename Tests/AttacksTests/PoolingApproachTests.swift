import Attacks
import AuditModel
import CPUBackend
import Networks
import TensorIR
import Tensors
import Testing

/// Winners of a max pooling that the padding below does not give away, from a picture about right.
@Suite("Max pooling and a picture that is about right")
struct PoolingApproachTests {
  private static let network = Network(
    "pooled", input: [16, 16, 3],
    [
      "a": Networks.Convolution.square(32, 3, padding: 1, isFirst: false),
      "b": Activation(.relu), "c": Pooling(.maximum, window: [2, 2]),
      "d": Networks.Convolution.square(48, 3, padding: 1, isFirst: false),
      "e": Activation(.relu), "f": Pooling(.maximum, window: [2, 2]), "g": Flatten(),
      "h": Dense(outputs: 10),
    ])

  /// The walk from the dense layer, which stops at the pooling above the second convolution: its 48
  /// channels do not tell 64 positions apart.
  private static func walk(
    _ sample: GradientSample, _ gradient: ParameterTable
  ) throws -> CascadeWalk {
    let programs = try LayerPrograms(
      network, weights: sample.weights, upTo: 7, on: CPUBackend(threads: 1))
    let features = try programs.segment(from: [.input(0)], to: 6).value([sample.inputs[0]])
    let walk = try CascadeWalk(
      sample.observation(of: gradient), start: 7, input: KnownMap(features, error: 1e-7),
      outputGradient: try #require(sample.gradient.bias(7)), on: CPUBackend(threads: 1),
      progress: { _ in })
    walk.run()
    #expect(walk.stop?.node == 5)
    #expect(walk.gradients[.node(3)] == nil)
    return walk
  }

  /// The picture with noise of a standard deviation.
  private static func picture(_ sample: GradientSample, noise: Double) -> [Double] {
    var generator = SplitMix64(seed: 7)
    return sample.inputs[0].map { $0 + noise * generator.normal() }
  }

  /// Single precision leaves 6e-8 of the weight gradient, and the equations of the map below the
  /// pooling outnumber its entries seven times.
  @Test("gives every winner, and the map below exactly", arguments: [0.01, 0.05, 0.1])
  func winners(noise: Double) throws {
    let sample = try GradientSample(Self.network)
    let walk = try Self.walk(sample, sample.gradient.mapped(.float32) { $1 })
    #expect(walk.resume(from: Self.picture(sample, noise: noise)))
    let truth = try walk.programs.segment(from: [.input(0)], to: 2).value([sample.inputs[0]])
    let map = try #require(walk.maps[.node(2)])
    #expect(relativeError(map.values, truth) < 1e-5)
    #expect(walk.stop?.node == 2)
  }

  /// With a weight gradient of noise nothing is met, and the walk has to end where it did.
  @Test("leads nowhere with another gradient, and leaves the walk as it was")
  func otherGradient() throws {
    let sample = try GradientSample(Self.network)
    var generator = SplitMix64(seed: 8)
    let walk = try Self.walk(
      sample,
      sample.gradient.mapped(.float32) { key, value in
        key.node == 3 ? 1e-3 * generator.normal() : value
      })
    let stop = walk.stop?.description
    #expect(!walk.resume(from: Self.picture(sample, noise: 0.01)))
    #expect(walk.stop?.description == stop)
    #expect(walk.gradients[.node(3)] == nil && walk.maps[.node(2)] == nil)
  }
}
