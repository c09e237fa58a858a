import Attacks
import AuditModel
import Testing

@Suite("Evaluation")
struct EvaluationTests {
  @Test("samples are assigned to the truth in any order, each truth once")
  func assignment() throws {
    let truth = [[0.0, 0], [1, 1], [0.5, 0.5]]
    let evaluation = Evaluation(inputs: truth, labels: [7, 8, 9])
    let quality = try #require(
      evaluation.quality(of: [[1, 1], [0.5, 0.5], [0, 0]], labels: [8, 9, 7]))
    #expect(quality.meanSquaredError == [0, 0, 0] && quality.labelsCorrect == 3)
    // Two copies of one recovery: the worse copy gets what is left.
    let copies = try #require(
      evaluation.quality(of: [[0.1, 0.1], [0, 0]], labels: [7, nil]))
    #expect(abs(copies.meanSquaredError[0] - 0.16) < 1e-15 && copies.meanSquaredError[1] == 0)
    #expect(copies.labelsCorrect == 0)
  }

  @Test("the sum of all errors is least, even where the smallest error is not part of it")
  func bestAssignment() throws {
    // 0.4 is nearest to 0.5, but leaves 0 to 0.6; 0.01 + 0.26 > 0.16 + 0.01.
    let evaluation = Evaluation(inputs: [[0.0], [0.5]], labels: nil)
    #expect(evaluation.assignment(of: [[0.4], [0.6]]) == [0, 1])
    #expect(evaluation.assignment(of: [[0.6], [0.1]]) == [1, 0])
    let quality = try #require(evaluation.quality(of: [[0.4], [0.6]], labels: [nil, nil]))
    #expect(abs(quality.meanSquaredError[0] - 0.16) < 1e-15)
    // The first sample is nearer to the truth of the second.
    #expect(quality.identified == 1)
  }

  @Test("of more samples than there are true ones the best are assigned")
  func leftOver() throws {
    let evaluation = Evaluation(inputs: [[0.0], [1]], labels: nil)
    #expect(evaluation.assignment(of: [[0.5], [0.9], [0.1]]) == [nil, 1, 0])
    let quality = try #require(evaluation.quality(of: [[0.5], [0.9], [0.1]], labels: [1, 1, 1]))
    #expect(quality.psnr.count == 2 && quality.labelsCorrect == nil)
  }

  @Test("what is no number is assigned last and identified as nothing")
  func notFinite() throws {
    let evaluation = Evaluation(inputs: [[0.0], [1]], labels: nil)
    #expect(evaluation.assignment(of: [[.nan], [0]]) == [1, 0])
    #expect(evaluation.assignment(of: [[.infinity], [1e200]])?.count == 2)
    let quality = try #require(evaluation.quality(of: [[.nan], [0]], labels: [nil, nil]))
    #expect(quality.identified == 1 && quality.meanSquaredError[0].isNaN)
  }

  @Test("a sample is identified only if no other sample of the probe set is as near")
  func identified() throws {
    let probe = [[0.25, 0.25], [0.875, 0.875], [0.5, 0.5]]
    func found(_ sample: [Double], batch: Int?) throws -> (Int?, Double) {
      let quality = try #require(
        Evaluation(inputs: probe, labels: nil, batch: batch).quality(of: [sample], labels: [nil]))
      return (quality.identified, quality.meanSquaredError[0])
    }
    #expect(try found([0.3, 0.3], batch: 1).0 == 1)
    // Nearest to the last sample, which the gradient is not of: errors are those of the first.
    let mistaken = try found([0.4375, 0.4375], batch: 1)
    #expect(mistaken.0 == 0 && mistaken.1 == 0.1875 * 0.1875)
    // Between two: as near is not nearer.
    #expect(try found([0.375, 0.375], batch: 1).0 == 0)
    // Where any sample may be the original, its error is the least there is.
    #expect(try found([0.4375, 0.4375], batch: nil).1 == 0.0625 * 0.0625)
    let single = Evaluation(inputs: [[0.2]], labels: nil).quality(of: [[0.9]], labels: [nil])
    #expect(single != nil && single?.identified == nil)
  }

  @Test("equal true samples count as one when a sample is identified")
  func duplicates() throws {
    let evaluation = Evaluation(inputs: [[0.0], [0.0], [1]], labels: nil)
    #expect(
      evaluation.quality(of: [[0.1], [0.2], [0.9]], labels: [nil, nil, nil])?.identified == 3)
  }

  @Test("features are compared with those of the assigned sample, and left out if one is missing")
  func features() throws {
    let evaluation = Evaluation(
      inputs: [[0, 0], [1, 1]], labels: nil, features: { [$0[0] + $0[1], 3 * $0[0]] })
    let quality = try #require(evaluation.quality(of: [[1, 0.5], [0, 0]], labels: [nil, nil]))
    #expect(quality.featureDistance == [0.25, 0])
    let failing = Evaluation(
      inputs: [[0.0], [1]], labels: nil, features: { $0[0] < 0.5 ? $0 : nil })
    let without = try #require(failing.quality(of: [[0.1], [0.9]], labels: [nil, nil]))
    #expect(without.featureDistance == nil && without.psnr.count == 2)
  }

  @Test("with a scale PSNR is that of pictures, and the error stays in input units")
  func scale() throws {
    let scale = try #require(InputScale(mean: [0.5, 0.4], deviation: [0.25, 0.2]))
    let layout = PictureLayout(height: 1, width: 1, channels: .last(2))
    let evaluation = Evaluation(
      inputs: [[-2, 0]], labels: nil, picture: layout, scale: scale)
    let quality = try #require(evaluation.quality(of: [[-1.6, 1]], labels: [nil]))
    // In pictures 0.1 against 0 and 0.6 against 0.4.
    #expect(abs(quality.meanSquaredError[0] - 0.58) < 1e-15)
    #expect(abs(quality.psnr[0] - 16.020_599_913) < 1e-9 && quality.valueRange == 0...1)
    // Grey is 0.5 from 0 and 0.1 from 0.4; each channel is its own mean.
    #expect(abs(quality.greyPSNR - 8.860_566_477) < 1e-9 && quality.meanImagePSNR == 400)
    // A scale for another number of channels shows no pictures.
    let other = Evaluation(inputs: [[-2, 0]], labels: nil, scale: scale)
    #expect(other.quality(of: [[-1.6, 1]], labels: [nil])?.valueRange == -2...0)
  }

  /// Sample, truth, mean squared error and PSNR; `-10 log₁₀` of the clamped error by hand.
  static let pairs: [([Double], [Double], Double, Double)] = [
    ([0.1, 0.1], [0, 0], 0.01, 20), ([0.5, 0.5], [0.5, 0.5], 0, 400),
    ([0.6, 0.5], [0.5, 0.5], 0.005, 23.010_299_956_639_813), ([1, 0], [0, 1], 1, 0),
    // Outside the range of an image only the clamped part counts.
    ([3, -2], [1, 0], 4, 400), ([-1, 0.1], [0, 0], 0.505, 23.010_299_956_639_813),
  ]

  @Test("errors are in input units and PSNR is that of the clamped image", arguments: pairs)
  func quality(sample: [Double], truth: [Double], error: Double, psnr: Double) throws {
    let quality = try #require(
      Evaluation(inputs: [truth], labels: nil).quality(of: [sample], labels: [nil]))
    #expect(abs(quality.meanSquaredError[0] - error) < 1e-15)
    #expect(abs(quality.psnr[0] - psnr) < 1e-9)
    #expect(quality.labelsCorrect == nil)
  }

  @Test("sizes that do not agree give no figure")
  func sizes() {
    let evaluation = Evaluation(inputs: [[0, 0]], labels: nil)
    #expect(evaluation.quality(of: [[0, 0, 0]], labels: [nil]) == nil)
    #expect(Evaluation(inputs: [], labels: nil).quality(of: [[0]], labels: [nil]) == nil)
    #expect(Evaluation(inputs: [[]], labels: nil).quality(of: [[]], labels: [nil]) == nil)
    let uneven = Evaluation(inputs: [[0], [0, 1]], labels: nil)
    #expect(uneven.quality(of: [[0]], labels: [nil]) == nil)
  }

  @Test("an error of zero is capped and larger errors cost ten decibels per factor of ten")
  func decibels() {
    #expect(Decibels.psnr(meanSquaredError: 0) == 400)
    #expect(Decibels.psnr(meanSquaredError: 1e-60) == 400)
    #expect(Decibels.psnr(meanSquaredError: 1) == 0)
    #expect(abs(Decibels.psnr(meanSquaredError: 1e-3) - 30) < 1e-12)
  }
}
