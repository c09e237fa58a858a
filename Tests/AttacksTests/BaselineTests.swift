import Attacks
import AuditModel
import Testing

/// Numbers by hand: 20 log₁₀ 2 is 6.0206, 10 log₁₀ 6 is 7.7815.
@Suite("Pictures without content as a yardstick")
struct BaselineTests {
  private func quality(
    _ samples: [[Double]], _ truths: [[Double]], _ channels: ChannelAxis? = nil
  ) throws -> RecoverySummary.Quality {
    let width = channels.map { truths[0].count / max($0.count, 1) } ?? 0
    let picture = channels.map { PictureLayout(height: 1, width: width, channels: $0) }
    return try #require(
      Evaluation(inputs: truths, labels: nil, picture: picture)
        .quality(of: samples, labels: samples.map { _ in nil }))
  }

  @Test("the middle of the range is half a unit from black and from white")
  func grey() throws {
    let found = try quality([[0, 1]], [[0, 1]])
    #expect(abs(found.greyPSNR - 6.020_599_913) < 1e-9)
    #expect(found.meanImagePSNR == nil && found.valueRange == 0...1)
  }

  /// Two pixels, by how their values lie; the mean colour misses four of six values by a half, or none.
  static let pictures: [([Double], ChannelAxis, Double)] = [
    ([1, 0, 0, 0, 0, 1], .last(3), 7.781_512_504), ([1, 1, 0, 1, 1, 0], .last(3), 400),
    ([1, 1, 0, 1, 1, 0], .first(3), 7.781_512_504), ([1, 1, 0, 0, 1, 1], .first(3), 400),
    ([0, 1], .last(1), 6.020_599_913),
  ]

  @Test("the mean colour is one number for each channel", arguments: pictures)
  func meanColour(truth: [Double], channels: ChannelAxis, decibels: Double) throws {
    let found = try #require(quality([truth], [truth], channels).meanImagePSNR)
    #expect(abs(found - decibels) < 1e-9)
  }

  @Test("values that make no whole pixels have no mean colour")
  func noPixels() throws {
    #expect(try quality([[0, 1]], [[0, 1]], .last(3)).meanImagePSNR == nil)
    #expect(try quality([[0, 1]], [[0, 1]], .first(0)).meanImagePSNR == nil)
  }

  @Test("only truths that a sample was assigned to count, and each counts once")
  func matched() throws {
    let truths = [[0.0, 0], [0.5, 0.5]]
    #expect(try quality([[0.4, 0.4]], truths).greyPSNR == 400)
    // Half a unit from the first is 6.0206 dB, the second is the middle itself.
    let both = try quality([[0.4, 0.4], [0.1, 0.1]], truths)
    #expect(abs(both.greyPSNR - (6.020_599_913 + 400) / 2) < 1e-9)
  }

  @Test("a truth beyond 0…1 is its own range, and the width of the range is the peak")
  func normalised() throws {
    let found = try quality([[-3, 2]], [[-1, 3]])
    #expect(found.valueRange == -1...3)
    // Unclamped (−2)² and 1; clamped 0 and 1, so 20 log₁₀ 4 − 10 log₁₀ ½.
    #expect(found.meanSquaredError == [2.5])
    #expect(abs(found.psnr[0] - 15.051_499_783) < 1e-9)
    // The middle, 1, is 2 from both.
    #expect(abs(found.greyPSNR - 6.020_599_913) < 1e-9)
  }

  @Test("the range is that of all truths, whatever was recovered")
  func rangeOfAll() throws {
    #expect(try quality([[0.5, 0.5]], [[0, 1], [2, 0.5]]).valueRange == 0...2)
    #expect(try quality([[9, -9]], [[0.2, 0.7]]).valueRange == 0...1)
    #expect(try quality([[5, 5]], [[5, 5]]).valueRange == 0...5)
  }

  @Test("what is no number or beyond every number has no say in the range, and no figure")
  func notFinite() throws {
    let found = try quality([[0.5, 0.5]], [[.nan, 0.5]])
    #expect(found.valueRange == 0...1 && found.psnr[0].isNaN && found.greyPSNR.isNaN)
    #expect(try quality([[0, 0]], [[.infinity, -.infinity]]).valueRange == 0...1)
    let huge = try quality([[0, 0]], [[-1e308, 1e308]])
    #expect(huge.valueRange == -1e308...1e308)
  }
}
