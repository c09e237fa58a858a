import CPUBackend
import Networks
import Tensors
import Testing

@testable import Attacks

/// Signs of activations, checked against the gradient of the bias below them.
@Suite("Mask check")
struct MaskCheckTests {
  /// A walk whose only activation has a drawn output, and some of its signs read wrongly.
  struct Walk {
    private(set) var walk: CascadeWalk
    private let sample: GradientSample
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
      sample = try GradientSample(network, convention: .channelsLast)
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
      walk = try Self.walk(sample, truth)
      walk.maps[.node(1)] = KnownMap(found.map { function.value($0) ?? 0 }, error: 1e-5)
      walk.unrestricted[.node(1)] = found.map { $0 > 0 ? $0 : (low == 0 ? 1 : low) * $0 }
    }

    /// A walk that has observed the sums of a loss gradient over the places.
    private static func walk(_ sample: GradientSample, _ truth: [Double]) throws -> CascadeWalk {
      var seen = sample.gradient
      let sums = (0..<channels).map { channel in
        stride(from: channel, to: truth.count, by: channels).reduce(0) { $0 + truth[$1] }
      }
      seen[0, .bias] = Tensor(sums, shape: [channels])
      return try CascadeWalk(
        sample.observation(of: seen), start: 3,
        input: KnownMap(Array(repeating: 0, count: 144), error: 1e-6),
        outputGradient: Array(repeating: 1, count: 5), on: CPUBackend(threads: 1),
        progress: { _ in })
    }

    /// Another map and what it was before it was cut, each entry known to 1e-5.
    mutating func restate(_ values: [Double], solved: [Double], truth: [Double]) throws {
      walk = try Self.walk(sample, truth)
      walk.maps[.node(1)] = KnownMap(values, error: 1e-5)
      walk.unrestricted[.node(1)] = solved
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

  /// Of 36 entries a channel, 30 are errors of zero that lie nearer to the kink than the wrong one.
  @Test("an active entry just above the errors is found among more zeros than are tried")
  func hidden() throws {
    var entry = try Walk(.relu, flips: 0)
    var generator = SplitMix64(seed: 12)
    let (channels, wrong) = (Walk.channels, 17)
    var solved = entry.arriving.indices.map { index in
      index / channels < 30 ? 2e-6 * generator.normal() : generator.uniform(0.1, 1)
    }
    for channel in 0..<channels { solved[wrong * channels + channel] = 3e-5 }
    // The truth has the entry active; the floor of 8e-5 takes it for a zero.
    let values = solved.map { $0 > 8e-5 ? $0 : 0 }
    let truth = zip(solved, entry.arriving).map { $0 > 2e-5 ? $1 : 0 }
    var gradient = zip(values, entry.arriving).map { $0 > 0 ? $1 : 0 }
    try entry.restate(values, solved: solved, truth: truth)
    #expect(gradient != truth)
    let unexplained = entry.walk.correctSigns(
      of: &gradient, arriving: entry.arriving, at: Walk.node, [0, 1])
    #expect(unexplained.isEmpty)
    #expect(gradient == truth)
    #expect(entry.walk.corrections == channels)
    let map = try #require(entry.walk.maps[.node(Walk.node)])
    #expect(map.values[wrong * channels] == 3e-5)
  }

  /// Every sum is off by 2e-6 of what was added, as single precision leaves it; in each channel two entries
  /// that are zero would explain that by chance.
  @Test("what the arithmetic left in every sum changes no sign")
  func arithmetic() throws {
    var entry = try Walk(.relu, flips: 0)
    let channels = Walk.channels
    var arriving = entry.arriving
    var solved = arriving.indices.map { $0 / channels < 6 ? 7e-5 : 1.0 }
    for channel in 0..<channels { solved[channel] = 6e-5 }
    let values = solved.map { $0 > 8e-5 ? $0 : 0 }
    var truth = zip(values, arriving).map { $0 > 0 ? $1 : 0 }
    let gradient = truth
    for channel in 0..<channels {
      let added = stride(from: channel, to: truth.count, by: channels)
        .reduce(0) { $0 + abs(truth[$1]) }
      let error = 2e-6 * added
      truth[35 * channels + channel] += error
      (arriving[channel], arriving[channels + channel]) = (1, error - 1)
    }
    try entry.restate(values, solved: solved, truth: truth)
    var corrected = gradient
    let unexplained = entry.walk.correctSigns(
      of: &corrected, arriving: arriving, at: Walk.node, [0, 1])
    #expect(unexplained.isEmpty && corrected == gradient && entry.walk.corrections == 0)
  }

  /// Three likely entries add up to what one unlikely one explains.
  @Test("of explanations that fit alike the one with fewer changes is taken, unless none is needed")
  func chance() {
    let changes = [(0.3, 0.1), (-0.5, 0.1), (0.7, 0.1), (0.5, 2)]
    let candidates = changes.enumerated().map {
      SignFlips.Candidate(entry: $0, change: $1.0, doubt: $1.1)
    }
    func likeliest(_ missing: Double, _ tolerance: Double) -> [Int]? {
      SignFlips.likeliest(explaining: missing, within: tolerance, among: candidates)
    }
    #expect(likeliest(0.5, 1e-6) == [3])
    #expect(likeliest(-0.2, 1e-6) == [0, 1])
    #expect(likeliest(0.4, 1e-6) == nil)
    // Three changes explain it exactly; that it is an error, or the sum of many others, is likelier.
    let three = [10, -11, 1.5].enumerated().map {
      SignFlips.Candidate(entry: $0, change: $1, doubt: 0.1)
    }
    let rest = (3..<16).map { SignFlips.Candidate(entry: $0, change: 20 + Double($0), doubt: 1) }
    #expect(SignFlips.likeliest(explaining: 0.5, within: 0.48, among: three + rest) == nil)
    #expect(SignFlips.likeliest(explaining: 0.5, within: 0.4, among: three + rest) == nil)
    #expect(SignFlips.likeliest(explaining: 0.5, within: 1e-4, among: three + rest) == [0, 1, 2])
  }

  @Test("a rectified map is as inexact as its entries below zero say")
  func scatter() {
    var generator = SplitMix64(seed: 5)
    let values = (0..<400).map { index in
      index % 4 < 2 ? generator.uniform(1, 2) : (index % 2 == 0 ? 1e-6 : 5e-6) * generator.normal()
    }
    var map = KnownMap(values, error: 1e-6)
    map.widenErrors(byZerosOf: 2)
    #expect((0.99...1.2).contains(map.errors[0] / 1e-6))
    #expect((4...6).contains(map.errors[1] / 1e-6))
    var positive = KnownMap(values.map(abs), error: 1e-6)
    positive.widenErrors(byZerosOf: 2)
    #expect(positive.errors.allSatisfy { $0 == 1e-6 })
  }
}
