import Attacks
import CPUBackend
import Networks
import Testing

@Suite("Segment of a network")
struct SegmentTests {
  /// A part of a network, from some nodes to one.
  struct Part: Sendable, CustomStringConvertible {
    var description: String
    var network: Network
    var cuts: [Network.Source]
    var target: Int
  }

  static let parts: [Part] = [
    Part(
      description: "from the input", network: CascadeNetwork.leNet(.sigmoid, isFirst: true),
      cuts: [.input(0)], target: 7),
    Part(
      description: "one layer", network: CascadeNetwork.leNet(.tanh, isFirst: false),
      cuts: [.node(1)], target: 2),
    Part(
      description: "both ways of a block", network: CascadeNetwork.residual, cuts: [.node(1)],
      target: 10),
    Part(
      description: "two cuts", network: CascadeNetwork.residual, cuts: [.node(4), .node(1)],
      target: 9),
    Part(
      description: "side by side", network: CascadeNetwork.branches, cuts: [.node(1), .node(2)],
      target: 6),
  ]

  private static func programs(_ network: Network) throws -> LayerPrograms {
    try LayerPrograms(
      network, weights: network.initialParameters(.pyTorch, seed: 2, statistics: .drawn),
      upTo: network.nodes.count - 1, on: CPUBackend(threads: 1))
  }

  private static func draw(_ count: Int, _ generator: inout SplitMix64) -> [Double] {
    (0..<count).map { _ in generator.normal() }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// `⟨u, J v⟩ = ⟨Jᵀ u, v⟩` up to the rounding of two sums, whose terms are larger than they are.
  @Test("both directions of the derivative are each other's transpose", arguments: parts)
  func adjoint(part: Part) throws {
    let programs = try Self.programs(part.network)
    let segment = try programs.segment(from: part.cuts, to: part.target)
    var generator = SplitMix64(seed: 6)
    let counts = part.cuts.map { programs.shape(of: $0).reduce(1, *) }
    let point = counts.map { Self.draw($0, &generator) }
    let directions = counts.map { Self.draw($0, &generator) }
    segment.linearize(at: point)
    let moved = try segment.push(directions)
    let cotangent = Self.draw(moved.count, &generator)
    let pulled = try segment.pull(cotangent)
    let (left, right) = (
      Self.product(cotangent, moved),
      zip(pulled, directions).reduce(0) { $0 + Self.product($1.0, $1.1) }
    )
    let size = Self.product(cotangent.map(abs), moved.map(abs))
    #expect(abs(left - right) <= 1e-13 * size)

    let step = 1e-6
    let sides = try [step, -step].map { factor in
      try segment.value(
        zip(point, directions).map { zip($0, $1).map { $0 + factor * $1 } })
    }
    // Rounding leaves 1e-16 / step; few ReLUs turn within the step, if any.
    let slope = zip(sides[0], sides[1]).map { ($0 - $1) / (2 * step) }
    #expect(relativeError(slope, moved) < 1e-6)
  }

  /// The same operations on the same numbers.
  @Test(
    "a network cut at a node gives what the whole gives",
    arguments: [
      (CascadeNetwork.leNet(.sigmoid, isFirst: true), 1),
      (CascadeNetwork.leNet(.sigmoid, isFirst: true), 4),
      (CascadeNetwork.leNet(.tanh, isFirst: false), 6),
      (CascadeNetwork.residual, 1), (CascadeNetwork.residual, 8), (CascadeNetwork.branches, 4),
    ] as [(Network, Int)])
  func cut(network: Network, node: Int) throws {
    let programs = try Self.programs(network)
    let last = network.nodes.count - 1
    var generator = SplitMix64(seed: 9)
    let x = Self.draw(programs.shape(of: .input(0)).reduce(1, *), &generator)
    let whole = try programs.segment(from: [.input(0)], to: last).value([x])
    let below = try programs.segment(from: [.input(0)], to: node).value([x])
    let above = try programs.segment(from: [.node(node)], to: last).value([below])
    #expect(relativeError(above, whole) < 1e-15)
  }

  @Test("what a part would need from in front of its cuts is an error")
  func missing() throws {
    let programs = try Self.programs(CascadeNetwork.residual)
    #expect(throws: CascadeStop.self) { try programs.segment(from: [.node(4)], to: 9) }
  }
}
