import AuditModel
import Testing

@Suite("Input scale")
struct InputScaleTests {
  @Test("a picture is value · deviation + mean in its channel, clamped to 0…1")
  func picture() throws {
    let scale = try #require(InputScale(mean: [0.5, 0.25], deviation: [0.25, 0.125]))
    #expect(
      scale.picture([0, 0, 1, 2, -4, 9], channels: .last(2)) == [0.5, 0.25, 0.75, 0.5, 0, 1])
    #expect(
      scale.picture([0, 1, -4, 0, 2, 9], channels: .first(2)) == [0.5, 0.75, 0, 0.25, 0.5, 1])
    let one = try #require(InputScale(mean: [0.5], deviation: [0.25]))
    #expect(one.picture([0, 1, 2], channels: nil) == [0.5, 0.75, 1])
    #expect(one.picture([.nan], channels: nil)?.first?.isNaN == true)
  }

  @Test("numbers that are not one for each channel give no picture")
  func refused() throws {
    let scale = try #require(InputScale(mean: [0.5, 0.25], deviation: [0.25, 0.125]))
    #expect(scale.picture([0, 0], channels: nil) == nil)
    #expect(scale.picture([0, 0, 0], channels: .last(3)) == nil)
    #expect(scale.picture([0, 0, 0], channels: .last(2)) == nil)
  }

  @Test(
    "a scale has as many means as deviations, which are above 0",
    arguments: [
      ([], []), ([0], []), ([0, 1], [1]), ([0], [0]), ([0], [-1]), ([.nan], [1]),
      ([0], [.infinity]),
    ] as [([Double], [Double])])
  func invalid(mean: [Double], deviation: [Double]) {
    #expect(InputScale(mean: mean, deviation: deviation) == nil)
  }
}
