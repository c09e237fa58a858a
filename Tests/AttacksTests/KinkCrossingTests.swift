import Attacks
import CPUBackend
import Networks
import Testing

/// Entries that single precision put on the other side of zero.
@Suite("Kink crossing")
struct KinkCrossingTests {
  /// A walk with a model input at which one entry in front of the second activation nearly vanishes.
  private struct Near {
    let walk: CascadeWalk
    let point: [Double]
    let entry: Int
    let size: Double
    static let node = 2

    /// Moves a drawn input along the entry's gradient until the entry has a share of the map's size.
    init(share: Double) throws {
      let network = CascadeNetwork.strided(
        .relu, ["c": Convolution.square(48, 3, stride: 2, padding: 1), "d": Activation(.relu)])
      let sample = try GradientSample(network, seed: 9)
      let last = network.nodes.count - 1
      walk = try CascadeWalk(
        sample.observation(of: sample.gradient), start: last,
        input: KnownMap(Array(repeating: 0, count: 432), error: 1e-7),
        outputGradient: Array(repeating: 0, count: 10), on: CPUBackend(threads: 1),
        progress: { _ in })
      let segment = try walk.programs.segment(from: [.input(0)], to: Self.node)
      var point = sample.inputs[0]
      let map = try segment.value([point])
      size = (map.reduce(0) { $0 + $1 * $1 } / Double(map.count)).squareRoot()
      // Near enough that the move crosses no other kink on the way.
      let entry = try #require(map.indices.min { abs(map[$0]) < abs(map[$1]) })
      let target = share * size
      for _ in 0..<20 {
        segment.linearize(at: [point])
        let slope = try segment.pull(map.indices.map { $0 == entry ? 1 : 0 })[0]
        let missing = target - (try segment.value([point]))[entry]
        let square = slope.reduce(0) { $0 + $1 * $1 }
        point = zip(point, slope).map { $0 + missing / square * $1 }
      }
      self.entry = entry
      self.point = point
    }

    func value(at x: [Double]) throws(CascadeStop) -> Double {
      try walk.programs.segment(from: [.input(0)], to: Self.node).value([x])[entry] / size
    }
  }

  @Test("an entry crosses zero where that lessens the error", arguments: [1e-8, -1e-8, 3e-6])
  func crossing(share: Double) throws {
    let near = try Near(share: share)
    #expect(abs(try near.value(at: near.point) / share - 1) < 1e-3)
    let crossing = try KinkCrossing(near.walk, from: near.point, error: 1) {
      (x: [Double]) throws(CascadeStop) in try near.value(at: x) * share < 0 ? 0.1 : 1
    }
    #expect(crossing.count == 1 && crossing.error == 0.1)
    // As far beyond zero as it was in front of it.
    #expect(abs(try near.value(at: crossing.point) / share + 1) < 1e-3)
  }

  @Test("an entry that would not lessen the error stays where it is")
  func useless() throws {
    let near = try Near(share: 1e-8)
    let crossing = try KinkCrossing(near.walk, from: near.point, error: 1) {
      (_: [Double]) throws(CascadeStop) in 0.95
    }
    #expect(crossing.count == 0 && crossing.point == near.point && crossing.error == 1)
  }

  @Test("entries far from zero are left alone")
  func far() throws {
    let near = try Near(share: 1e-4)
    let crossing = try KinkCrossing(near.walk, from: near.point, error: 1) {
      (x: [Double]) throws(CascadeStop) in try near.value(at: x) < 0 ? 0.1 : 1
    }
    #expect(crossing.count == 0)
  }
}
