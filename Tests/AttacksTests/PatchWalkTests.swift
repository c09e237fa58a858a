import Attacks
import LinearAlgebra
import Testing

@Suite("Positions from one weight gradient")
struct PatchWalkTests {
  /// A walk's error per error of the gradient: the condition of masks of this size.
  private static let amplification = 20.0

  @Test(
    "The padding gives the masks of global average pooling away",
    arguments: [
      (4, 4, 3, 64, 128), (7, 7, 3, 64, 128), (8, 8, 3, 64, 128), (9, 9, 3, 64, 128),
      (3, 6, 3, 16, 40), (8, 8, 3, 24, 96), (6, 6, 5, 8, 64), (1, 5, 3, 16, 20),
    ])
  func globalPooling(
    _ height: Int, _ width: Int, _ kernel: Int, _ inputs: Int, _ outputs: Int
  ) throws {
    let sample = PatchSample(
      height: height, width: width, kernel: kernel, inputs: inputs, outputs: outputs, seed: 21)
    let truth = sample.slopes()
    let walk = try PatchWalk(sample.gradient(truth), sample.map, tolerance: 6e-8)
    #expect(walk.rank == height * width)
    #expect(walk.cornerGap < 1e-5)
    let sums = (0..<outputs).map { truth.row($0).reduce(0, +) }
    let mask = try GlobalPoolingMask(walk, sums: sums)
    #expect(mask.slopes == truth)
    #expect(mask.distance < 6e-8 * Self.amplification)
  }

  @Test("The input comes with the coefficients, up to the inverse factor")
  func input() throws {
    let sample = PatchSample(height: 5, width: 5, inputs: 16, outputs: 40, seed: 22)
    let truth = sample.slopes()
    let walk = try PatchWalk(sample.gradient(truth), sample.map, tolerance: 6e-8)
    // The centre tap reads the position itself.
    let centre = sample.patches.columns(4 * 16..<5 * 16)
    #expect(greatestDifference(walk.input, centre) < 1e-5)
  }

  @Test("Leaky slopes are found like masks", arguments: [0.01, 0.2])
  func leaky(_ leak: Double) throws {
    let sample = PatchSample(height: 4, width: 4, inputs: 32, outputs: 64, seed: 23)
    let truth = sample.slopes(leak: leak)
    let walk = try PatchWalk(sample.gradient(truth), sample.map, tolerance: 6e-8)
    let sums = (0..<64).map { truth.row($0).reduce(0, +) }
    let mask = try GlobalPoolingMask(walk, levels: [leak, 1], sums: sums)
    #expect(mask.slopes == truth)
  }

  @Test("A sum that the bias gradient contradicts is an error")
  func wrongSum() throws {
    let sample = PatchSample(height: 4, width: 4, inputs: 32, outputs: 64, seed: 24)
    let truth = sample.slopes()
    let walk = try PatchWalk(sample.gradient(truth), sample.map, tolerance: 6e-8)
    var sums: [Double?] = (0..<64).map { truth.row($0).reduce(0, +) }
    sums[7] = (sums[7] ?? 0) + 1
    #expect(throws: PatchWalkFailure.self) { try GlobalPoolingMask(walk, sums: sums) }
    sums[7] = nil
    #expect(try GlobalPoolingMask(walk, sums: sums).slopes == truth)
    #expect(throws: PatchWalkFailure.self) { try GlobalPoolingMask(walk, levels: [0.5, 1]) }
  }

  @Test("Noise ends in the right masks or in an error", arguments: [1e-4, 1e-3, 1e-2, 0.1])
  func noise(_ noise: Double) {
    for (seed, share) in [(1, 1.0), (2, 1), (3, 0.3), (4, 3)] as [(UInt64, Double)] {
      for (side, inputs, outputs) in [(4, 32, 64), (4, 4, 20), (6, 32, 64)] {
        let sample = PatchSample(
          height: side, width: side, inputs: inputs, outputs: outputs, seed: seed)
        let truth = sample.slopes()
        let q = sample.gradient(truth, noise: noise, seed: seed)
        guard let walk = try? PatchWalk(q, sample.map, tolerance: noise * share),
          let mask = try? GlobalPoolingMask(walk)
        else { continue }
        #expect(mask.slopes == truth)
      }
    }
  }

  @Test("A noise of 1e-4 is no obstacle")
  func littleNoise() throws {
    let sample = PatchSample(height: 4, width: 4, inputs: 32, outputs: 64, seed: 25)
    let truth = sample.slopes()
    let q = sample.gradient(truth, noise: 1e-4)
    let walk = try PatchWalk(q, sample.map, tolerance: 1e-4)
    #expect(try GlobalPoolingMask(walk).slopes == truth)
    // The residual is the noise.
    #expect(walk.excess < 1.2)
    #expect(walk.residual > 0.8e-4)
  }

  @Test("Circular padding leaves the corner ambiguous")
  func circular() {
    let sample = PatchSample(
      height: 6, width: 6, inputs: 48, outputs: 64, padding: .circular, seed: 26)
    #expect {
      try PatchWalk(sample.gradient(sample.slopes()), sample.map, tolerance: 6e-8)
    } throws: { error in
      guard case .ambiguousCorner(let gap) = error as? PatchWalkFailure else { return false }
      return gap > PatchWalk.greatestGap
    }
  }

  @Test("What no walk can do is named")
  func obstacles() {
    func failure(
      _ outputs: Int, _ inputs: Int, kernel: [Int] = [3, 3], low: Int = 1, high: Int = 1,
      stride: Int = 1
    ) -> PatchWalkFailure? {
      let map = PatchWalk.Map(
        height: 4, width: 4, kernel: kernel, low: [low, low], high: [high, high], stride: stride,
        inputs: inputs)
      let q = DenseMatrix(rows: outputs, columns: map.taps * inputs)
      do throws(PatchWalkFailure) {
        _ = try PatchWalk(q, map, tolerance: 6e-8)
        return nil
      } catch { return error }
    }
    #expect(failure(15, 8) == .tooFewOutputs(outputs: 15, positions: 16))
    #expect(failure(20, 2) == .tooFewInputs(inputs: 2, positions: 16))
    #expect(failure(20, 8, low: 0, high: 0) == .noPadding)
    #expect(failure(20, 8, stride: 2) == .stride(2))
    #expect(failure(20, 8, kernel: [1, 1], low: 0, high: 0) == .noNeighbours(kernel: [1, 1]))
    #expect(failure(20, 8) == .rank(0, positions: 16))
  }

  @Test("A position without gradient lowers the rank")
  func silentPosition() {
    let sample = PatchSample(height: 4, width: 4, inputs: 32, outputs: 64, seed: 27)
    var z = sample.slopes()
    for output in 0..<64 { z[output, 5] = 0 }
    #expect(throws: PatchWalkFailure.rank(15, positions: 16)) {
      try PatchWalk(sample.gradient(z), sample.map, tolerance: 6e-8)
    }
  }
}
