import Attacks
import AuditModel
import Testing

/// Numbers by scikit-image 0.26, from `Tests/Fixtures/similarity/make_similarity.py`.
@Suite("Structural similarity")
struct SimilarityTests {
  /// Value at row *i*, column *j* and channel *k*: `((a·i·i + b·j + c·i·j + 31·k) mod 64) / 63`.
  struct Formula: Sendable {
    var a = 0
    var b = 0
    var c = 0

    func picture(_ layout: PictureLayout) -> [Double] {
      let values = (0..<layout.height).map { i in
        (0..<layout.width).map { j in
          (0..<layout.channels.count).map { k in
            Double((a * i * i + b * j + c * i * j + 31 * k) % 64) / 63
          }
        }
      }
      guard case .first(let channels) = layout.channels else {
        return values.flatMap { $0.flatMap { $0 } }
      }
      return (0..<channels).flatMap { k in values.flatMap { $0.map { $0[k] } } }
    }
  }

  struct Case: Sendable {
    var height: Int
    var width: Int
    var channels: Int
    var first: Formula
    var second: Formula
    var isInverted = false
    var similarity: Double
  }

  static let cases = [
    Case(
      height: 16, width: 16, channels: 1, first: Formula(a: 1, b: 3),
      second: Formula(a: 1, b: 3), similarity: 1),
    Case(
      height: 16, width: 16, channels: 1, first: Formula(a: 1, b: 3),
      second: Formula(a: 1, b: 3, c: 1), similarity: 0.025648198749962603),
    Case(
      height: 16, width: 16, channels: 3, first: Formula(b: 4), second: Formula(a: 4),
      similarity: 0.008454987033531295),
    Case(
      height: 11, width: 11, channels: 1, first: Formula(a: 2, b: 5, c: 1),
      second: Formula(a: 3, b: 5, c: 2), similarity: -0.23270962044181648),
    Case(
      height: 13, width: 20, channels: 3, first: Formula(b: 2, c: 1),
      second: Formula(b: 2, c: 1), isInverted: true, similarity: -0.9639052248164429),
    Case(
      height: 32, width: 24, channels: 3, first: Formula(a: 1, b: 1, c: 1),
      second: Formula(a: 1, b: 2, c: 1), similarity: 0.15520763321136213),
  ]

  private func similarity(
    _ sample: [Double], _ truth: [Double], _ layout: PictureLayout, scale: InputScale? = nil
  ) throws -> [Double]? {
    try #require(
      Evaluation(inputs: [truth], labels: nil, picture: layout, scale: scale)
        .quality(of: [sample], labels: [nil])
    ).structuralSimilarity
  }

  @Test("it is that of scikit-image, in either order of axes", arguments: cases, [true, false])
  func peer(entry: Case, isFirst: Bool) throws {
    let layout = PictureLayout(
      height: entry.height, width: entry.width,
      channels: isFirst ? .first(entry.channels) : .last(entry.channels))
    let x = entry.first.picture(layout)
    let y = entry.second.picture(layout).map { entry.isInverted ? 1 - $0 : $0 }
    let found = try #require(similarity(y, x, layout)?.first)
    // The order of sums differs; windows of variance next to 0 amplify rounding by 1 / 0.03².
    #expect(abs(found - entry.similarity) < 1e-11)
  }

  @Test("values beyond the range are clamped before they are compared")
  func clamped() throws {
    let layout = PictureLayout(height: 12, width: 12, channels: .last(1))
    let truth = Formula(a: 1, b: 40).picture(layout).map { $0 > 0.5 ? 1.0 : 0 }
    let beyond = truth.map { $0 > 0.5 ? 7.0 : -3 }
    #expect(try similarity(beyond, truth, layout) == [1])
  }

  @Test("a range beyond 0…1 is seen as 0…1, and a scale gives back the pictures")
  func ranges() throws {
    let entry = Self.cases[5]
    let layout = PictureLayout(height: 32, width: 24, channels: .last(3))
    let (x, y) = (entry.first.picture(layout), entry.second.picture(layout))
    // The least value is 0 and the largest 1, so the range of the scaled truth is −2…2.
    #expect(x.min() == 0 && x.max() == 1)
    let wide = try #require(
      similarity(y.map { 4 * $0 - 2 }, x.map { 4 * $0 - 2 }, layout)?.first)
    #expect(abs(wide - entry.similarity) < 1e-11)
    let scale = try #require(InputScale(mean: [0.5], deviation: [0.25]))
    let scaled = try #require(
      similarity(y.map { 4 * $0 - 2 }, x.map { 4 * $0 - 2 }, layout, scale: scale)?.first)
    #expect(abs(scaled - entry.similarity) < 1e-11)
  }

  @Test(
    "pictures that no window fits into have none, and neither do samples that are no pictures",
    arguments: [(10, 20), (20, 10), (1, 400)])
  func small(height: Int, width: Int) throws {
    let layout = PictureLayout(height: height, width: width, channels: .last(1))
    let sample = [Double](repeating: 0.5, count: height * width)
    #expect(try similarity(sample, sample, layout) == nil)
    let other = PictureLayout(height: 11, width: 11, channels: .last(1))
    #expect(try similarity(sample, sample, other) == nil)
  }
}
