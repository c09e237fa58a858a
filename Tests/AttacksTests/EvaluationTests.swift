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
