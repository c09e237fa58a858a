import Attacks
import CPUBackend
import Networks
import Tensors
import Testing

/// Signs of activations, checked against the gradient of the bias below them.
@Suite("Mask check")
struct MaskCheckTests {
  /// A walk whose only activation has a drawn output, and some of its signs read wrongly.
  struct Walk {
    let walk: CascadeWalk
    /// What enters below the activation, with the wrong signs and with the right ones.
    var gradient: [Double]
    let truth: [Double]
    let arriving: [Double]
    static let (places, channels, node) = (36, 4, 1)

    /// A walk with `flips` wrong signs in each channel.
    init(_ function: ActivationFunction, flips: Int) throws {
      let network = Network(
        "one", input: [6, 6, 2],
        [
          "a": Networks.Convolution.square(4, 3, padding: 1, isFirst: false),
          "b": Activation(function), "c": Flatten(), "d": Dense(outputs: 5),
        ])
      let sample = try GradientSample(network, convention: .channelsLast)
      var generator = SplitMix64(seed: 8)
      let (places, channels) = (Self.places, Self.channels)
      let arriving = (0..<places * channels).map { _ in generator.normal() }
      self.arriving = arriving
      // Entries near the kink, two of which nobody can tell apart by size, and entries far from it.
      let near = Set((0..<channels).flatMap { c in (0..<6).map { (5 * $0 + c) * channels + c } })
      let inputs = arriving.indices.map { index in
        near.contains(index) ? 1e-5 * generator.normal() : generator.normal()
      }
      let (low, high) = (function.slope(-1) ?? 0, 1.0)
      let truth = zip(inputs, arriving).map { ($0 > 0 ? high : low) * $1 }
      self.truth = truth
      var (found, gradient) = (inputs, truth)
      for channel in 0..<channels {
        let entries = near.filter { $0 % channels == channel }.sorted()
        for index in entries.suffix(flips) {
          found[index] = -inputs[index]
          gradient[index] = (found[index] > 0 ? high : low) * arriving[index]
        }
      }
      self.gradient = gradient
      var seen = sample.gradient
      let sums = (0..<channels).map { channel in
        stride(from: channel, to: arriving.count, by: channels).reduce(0) { $0 + truth[$1] }
      }
      seen[0, .bias] = Tensor(sums, shape: [channels])
      walk = try CascadeWalk(
        sample.observation(of: seen), start: 3,
        input: KnownMap(Array(repeating: 0, count: 144), error: 1e-6),
        outputGradient: Array(repeating: 1, count: 5), on: CPUBackend(threads: 1),
        progress: { _ in })
      walk.maps[.node(1)] = KnownMap(found.map { function.value($0) ?? 0 }, error: 1e-5)
      walk.unrestricted[.node(1)] = found.map { $0 > 0 ? $0 : (low == 0 ? 1 : low) * $0 }
    }
  }

  static let functions: [(ActivationFunction, [Double])] = [
    (.relu, [0, 1]), (.leakyReLU(slope: 0.2), [0.2, 1]),
  ]

  @Test("up to three wrong signs a channel are repaired", arguments: functions, 0...3)
  func repair(subject: (function: ActivationFunction, levels: [Double]), flips: Int) throws {
    var entry = try Walk(subject.function, flips: flips)
    #expect((entry.gradient == entry.truth) == (flips == 0))
    let unexplained = entry.walk.correctSigns(
      of: &entry.gradient, arriving: entry.arriving, at: Walk.node, subject.levels)
    #expect(unexplained.isEmpty)
    #expect(entry.gradient == entry.truth)
    #expect(entry.walk.corrections == flips * Walk.channels)
  }

  @Test("channels with more wrong signs are counted and left alone", arguments: functions)
  func unexplained(subject: (function: ActivationFunction, levels: [Double])) throws {
    var entry = try Walk(subject.function, flips: 4)
    let before = entry.gradient
    let unexplained = entry.walk.correctSigns(
      of: &entry.gradient, arriving: entry.arriving, at: Walk.node, subject.levels)
    #expect(unexplained.count == Walk.channels)
    #expect(entry.gradient == before && entry.walk.corrections == 0)
  }
}
