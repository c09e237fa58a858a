import AuditModel
import CPUBackend
import Networks
import Tensors
import Testing

@testable import Attacks

/// Sign patterns with more wrong signs than the gradient of a bias can point out.
@Suite("Sign repair")
struct SignRepairTests {
  struct Subject: Sendable, CustomStringConvertible {
    var description: String
    var network: Network
    /// The last activation.
    var activation: Int
  }

  static let subjects: [Subject] = [
    Subject(
      description: "a convolution below",
      network: CascadeNetwork.strided(
        .relu, ["c": Convolution.square(48, 3, stride: 2, padding: 1), "d": Activation(.relu)]),
      activation: 3),
    Subject(
      description: "a sum of a convolution and a projection below",
      network: CascadeNetwork.residual, activation: 8),
  ]

  /// A walk whose first map has zeros of one channel that were read as active.
  private func walk(_ subject: Subject, wrong: Int) throws -> (CascadeWalk, GradientSample) {
    let sample = try GradientSample(subject.network, seed: 9)
    let last = subject.network.nodes.count - 1
    let observation = sample.observation(of: sample.gradient)
    let programs = try LayerPrograms(
      subject.network, weights: sample.weights, upTo: last, on: CPUBackend(threads: 1))
    var map = try programs.segment(from: [.input(0)], to: subject.activation)
      .value([Self.held(sample.inputs[0], programs.shape(of: .input(0)))])
    let channels = try #require(programs.shape(of: .node(subject.activation)).last)
    let silent = (0..<channels).map { channel in
      stride(from: channel, to: map.count, by: channels).filter { map[$0] == 0 }
    }
    let entries = try #require(silent.first { $0.count >= wrong })
    for entry in entries.prefix(wrong) { map[entry] = 1e-5 }
    let features = try programs.segment(from: [.node(subject.activation)], to: last - 1)
      .value([map])
    let slope = try #require(sample.gradient[last, .bias]).elements()
    let walk = try CascadeWalk(
      observation, start: last, input: KnownMap(features, error: 1e-7), outputGradient: slope,
      on: CPUBackend(threads: 1), progress: { _ in })
    return (walk, sample)
  }

  /// A picture with channels first, as programs hold it: channels last.
  private static func held(_ picture: [Double], _ shape: [Int]) -> [Double] {
    let channels = shape[shape.count - 1]
    let places = picture.count / channels
    return picture.indices.map { picture[$0 % channels * places + $0 / channels] }
  }

  /// The wrong values themselves do not reach the picture, only their signs would.
  @Test("the weight gradient below tells the signs", arguments: subjects, [0, 2, 5, 7])
  func repaired(subject: Subject, wrong: Int) throws {
    let (walk, sample) = try walk(subject, wrong: wrong)
    walk.run()
    #expect(walk.stop == nil, "\(walk.stop?.description ?? "")")
    #expect(walk.corrections == wrong)
    let picture = try #require(walk.maps[.input(0)])
    let truth = Self.held(sample.inputs[0], walk.programs.shape(of: .input(0)))
    #expect(relativeError(picture.values, truth) < 1e-6)
  }

  /// What a channel's weight gradient cannot explain stays a contradiction.
  @Test("signs that another gradient contradicts end the walk", arguments: subjects)
  func contradicted(subject: Subject) throws {
    let (walk, _) = try walk(subject, wrong: 0)
    let other = try GradientSample(subject.network, seed: 10)
    let strange = try CascadeWalk(
      other.observation(of: other.gradient), start: walk.start,
      input: try #require(walk.maps[.node(walk.start - 1)]),
      outputGradient: try #require(walk.gradients[.node(walk.start)]),
      on: CPUBackend(threads: 1), progress: { _ in })
    strange.run()
    #expect(strange.stop != nil && strange.maps[.input(0)] == nil)
  }

  /// Least squares must not start from a map that was solved with wrong signs above it.
  @Test("what was determined below a map that is taken back goes with it", arguments: subjects)
  func withdrawn(subject: Subject) throws {
    let (walk, _) = try walk(subject, wrong: 0)
    walk.run()
    let determined = walk.determined
    #expect(determined.count >= 3 && walk.maps[.input(0)] != nil)
    walk.withdraw(determined[1])
    #expect(walk.determined == [determined[0]])
    #expect(determined.dropFirst().allSatisfy { walk.maps[$0] == nil })
    #expect(walk.maps[determined[0]] != nil)
    // The table says so; the first map is the dense layer's input, which has no row.
    #expect(walk.steps.filter { $0.outcome == .exact }.isEmpty)
    #expect(walk.steps.contains { $0.note.contains("too inexact for the signs") })
  }
}
