import LinearAlgebra
import Networks
import Testing

@testable import Attacks

@Suite("Winners of max pooling")
struct PoolingWinnersTests {
  private func random(_ rows: Int, _ columns: Int) -> DenseMatrix {
    var generator = SplitMix64(seed: 31)
    return DenseMatrix(
      rows: rows, columns: columns,
      elements: (0..<rows * columns).map { _ in generator.normal() })
  }

  @Test(
    "The walk and the pooled gradient give every winner",
    arguments: [(8, 2, 64, 128, 0), (9, 3, 64, 128, 1), (6, 3, 16, 128, 0), (4, 2, 8, 32, 0)])
  func winners(_ side: Int, _ window: Int, _ inputs: Int, _ outputs: Int, _ behind: Int) throws {
    let sample = PatchSample(
      height: side, width: side, inputs: inputs, outputs: outputs, behind: behind, seed: 32)
    let pooled = random(outputs, side / window * (side / window))
    let truth = sample.winners(pooled: pooled, window: window)
    let walk = try PatchWalk(sample.gradient(truth), sample.map, tolerance: 6e-8)
    let winners = try PoolingWinners(
      walk, pooled: pooled, windows: .init(height: window, width: window))
    #expect(winners.gradient == truth)
    #expect(winners.distance < 1e-6)
    let active = truth.elements.count { $0 != 0 }
    #expect(winners.inactive + winners.undecided + active >= pooled.elements.count)
    #expect(winners.undecided == 0)
  }

  @Test(
    "Positions that win nowhere are found to be silent",
    arguments: [(6, 3, 16, 64), (6, 2, 32, 64), (8, 2, 32, 96)], [51, 52, 53] as [UInt64])
  func silent(_ shape: (Int, Int, Int, Int), _ seed: UInt64) throws {
    let (side, window, inputs, outputs) = shape
    let sample = PatchSample(
      height: side, width: side, inputs: inputs, outputs: outputs, seed: seed)
    let pooled = random(outputs, side / window * (side / window))
    var truth = sample.winners(pooled: pooled, window: window)
    for output in 0..<outputs { truth[output, side + 2] = 0 }
    let silent = (0..<side * side).filter { truth.column($0).allSatisfy { $0 == 0 } }
    let q = sample.gradient(truth)
    #expect(throws: PatchWalkFailure.self) { try PatchWalk(q, sample.map, tolerance: 6e-8) }
    let walk = try PatchWalk(q, sample.map, tolerance: 6e-8, allowsSilentPositions: true)
    #expect(walk.silent == silent)
    #expect(walk.rank == side * side - silent.count)
    let winners = try PoolingWinners(
      walk, pooled: pooled, windows: .init(height: window, width: window))
    #expect(winners.gradient == truth)
  }

  @Test("Two positions whose gradients are in proportion are not taken for one")
  func proportional() {
    let sample = PatchSample(height: 4, width: 4, inputs: 16, outputs: 40, seed: 55)
    var z = sample.slopes()
    for output in 0..<40 { z[output, 9] = 2 * z[output, 2] }
    #expect(throws: PatchWalkFailure.self) {
      try PatchWalk(
        sample.gradient(z), sample.map, tolerance: 6e-8, allowsSilentPositions: true)
    }
  }

  @Test("A gradient that is spread over a window is no maximum's")
  func spread() throws {
    let sample = PatchSample(height: 4, width: 4, inputs: 32, outputs: 64, seed: 33)
    let pooled = random(64, 4)
    var z = sample.slopes()
    for output in 0..<64 {
      for p in 0..<16 { z[output, p] *= pooled[output, p / 8 * 2 + p % 4 / 2] }
    }
    let walk = try PatchWalk(sample.gradient(z), sample.map, tolerance: 6e-8)
    let windows = PoolingWinners.Windows(height: 2, width: 2)
    #expect(throws: PatchWalkFailure.self) {
      _ = try PoolingWinners(walk, pooled: pooled, windows: windows)
    }
    #expect(throws: PatchWalkFailure.self) {
      _ = try PoolingWinners(walk, pooled: pooled.columns(at: [1, 2, 3, 0]), windows: windows)
    }
  }
}

@Suite("Positions without neighbours")
struct PositionEnumerationTests {
  @Test("The masks are the only columns of two values", arguments: [1, 4, 9, 12], [0, 0.1])
  func masks(_ positions: Int, _ leak: Double) throws {
    let sample = PatchSample(
      height: 1, width: positions, kernel: 1, inputs: 32, outputs: 64, seed: 41)
    let truth = sample.slopes(leak: leak)
    let found = try PositionEnumeration(
      sample.gradient(truth), positions: positions, levels: [leak, 1],
      sums: (0..<64).map { truth.row($0).reduce(0, +) }, tolerance: 6e-8)
    let columns = (0..<positions).map { truth.column($0) }
    let sorted = columns.sorted { $0.lexicographicallyPrecedes($1) }
    #expect((0..<positions).map { found.slopes.column($0) } == sorted)
    #expect(found.distance < 1e-5)
  }

  @Test("Sums tell a position from the difference of two")
  func nested() throws {
    let sample = PatchSample(height: 1, width: 6, kernel: 1, inputs: 32, outputs: 64, seed: 43)
    var truth = sample.slopes()
    // All that is active at position 2 is active at position 4.
    for output in 0..<64 where truth[output, 2] == 1 { truth[output, 4] = 1 }
    let q = sample.gradient(truth)
    let found = try PositionEnumeration(
      q, positions: 6, sums: (0..<64).map { truth.row($0).reduce(0, +) }, tolerance: 6e-8)
    let columns = (0..<6).map { truth.column($0) }
    #expect(
      (0..<6).map { found.slopes.column($0) }
        == columns.sorted { $0.lexicographicallyPrecedes($1) })
    #expect(throws: PatchWalkFailure.columns(found: 7, positions: 6)) {
      try PositionEnumeration(q, positions: 6, tolerance: 6e-8)
    }
  }

  @Test("Too few outputs leave several answers, too many positions none")
  func ambiguous() {
    let sample = PatchSample(height: 1, width: 6, kernel: 1, inputs: 16, outputs: 7, seed: 42)
    let q = sample.gradient(sample.slopes())
    #expect(throws: PatchWalkFailure.self) {
      try PositionEnumeration(q, positions: 6, tolerance: 6e-8)
    }
    #expect(throws: PatchWalkFailure.tooManyPositions(49, limit: 20)) {
      try PositionEnumeration(q, positions: 49, tolerance: 6e-8)
    }
  }
}

@Suite("Order of positions")
struct PositionOrderTests {
  /// A permutation without fixed rows or columns.
  private func shuffled(_ count: Int, seed: UInt64) -> [Int] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { ($0, generator.normal()) }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  @Test(
    "Overlaps bring patches back into order, noise or not",
    arguments: [(4, 4), (7, 7), (1, 5), (6, 1), (8, 3), (1, 1)], [0, 1e-3, 0.03])
  func order(_ extents: (Int, Int), _ noise: Double) throws {
    let sample = PatchSample(
      height: extents.0, width: extents.1, inputs: 16, outputs: 8, seed: 61)
    let drawn = shuffled(extents.0 * extents.1, seed: 62)
    var patches = sample.patches.rows(at: drawn)
    var generator = SplitMix64(seed: 63)
    let size = noise * patches.frobeniusNorm / Double(patches.elements.count).squareRoot()
    patches.elements = patches.elements.map { $0 + size * generator.normal() }
    let order = try PositionOrder(patches, sample.map)
    #expect(order.indices.map { drawn[$0] } == Array(drawn.indices))
    #expect(order.isRing == [false, false])
  }

  @Test("Under circular padding the order is right but for a shift", arguments: [(4, 4), (2, 5)])
  func ring(_ extents: (Int, Int)) throws {
    let (height, width) = extents
    let sample = PatchSample(
      height: height, width: width, inputs: 16, outputs: 8, padding: .circular, seed: 64)
    let drawn = shuffled(height * width, seed: 67)
    let order = try PositionOrder(sample.patches.rows(at: drawn), sample.map)
    #expect(order.isRing == [true, true])
    let places = order.indices.map { drawn[$0] }
    let shifted = (0..<height * width).map { place in
      (place / width + places[0] / width) % height * width + (place + places[0]) % width
    }
    #expect(places == shifted)
  }

  @Test("A kernel of one tap has no overlaps")
  func open() {
    let single = PatchSample(height: 3, width: 3, kernel: 1, inputs: 16, outputs: 8, seed: 65)
    #expect(throws: PatchWalkFailure.noNeighbours(kernel: [1, 1])) {
      try PositionOrder(single.patches, single.map)
    }
  }

  @Test("Two equal patches are not put in an order")
  func equal() {
    let sample = PatchSample(height: 3, width: 3, inputs: 16, outputs: 8, seed: 66)
    let patches = sample.patches.rows(at: [0, 1, 2, 3, 4, 5, 6, 7, 0])
    #expect(throws: PatchWalkFailure.disordered(height: 3, width: 3)) {
      try PositionOrder(patches, sample.map)
    }
  }

  @Test("of failures with several tolerances the one that came farthest is reported")
  func farthest() throws {
    let sample = try GradientSample(
      NetworkResidualsTests.plain(filters: 4), convention: .channelsLast)
    let walk = try NetworkResidualsTests.walk(sample)
    let base = try #require(walk.foundation(of: .node(0)))
    var failures: [PatchWalkFailure] = [
      .rank(15, positions: 16), .disordered(height: 4, width: 4), .rank(14, positions: 16),
      .inconsistent(excess: 7),
    ]
    #expect(throws: PatchWalkFailure.disordered(height: 4, width: 4)) {
      try walk.withTolerances(of: base) { (_) throws(PatchWalkFailure) in
        throw failures.removeFirst()
      }
    }
  }
}
