import AuditModel
import Foundation
import Reports
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Reports of numerical attacks")
struct InversionReportTests {
  private func report(_ inversions: [InversionSummary]) -> AuditReport {
    var report = Fixture.empty
    report.inversions = inversions
    return report
  }

  private func svg(_ inversions: [InversionSummary]) throws -> XMLElement {
    let text = SVGPlot().render(report(inversions))
    return try #require(try XMLDocument(xmlString: text).rootElement())
  }

  /// By name, whatever namespace is in force.
  private func elements(_ name: String, of root: XMLElement) -> [XMLElement] {
    (root.children ?? []).compactMap { $0 as? XMLElement }.filter { $0.name == name }
  }

  private func attribute(_ name: String, of element: XMLElement) -> String? {
    element.attributes?.first { $0.name == name }?.stringValue
  }

  private func points(_ line: XMLElement) -> [[Double]] {
    (attribute("points", of: line) ?? "").split(separator: " ")
      .map { $0.split(separator: ",").compactMap { Double($0) } }
  }

  @Test("the section says what was tried, how it went and how to read it")
  func markdown() throws {
    let text = MarkdownReport().render(Fixture.full)
    let start = try #require(text.range(of: "## Numerical inversion")).lowerBound
    let section = text[start...].split(separator: "\n## ")[0]
    for part in [
      "PSNR 21.9 dB (19.6 to 24.1 dB), a grey picture scores 12.4 dB; SSIM 0.845 (0.78 to 0.91)",
      "2 of 2 identified", "| 16, 14 abandoned |", "| 2.41 s |",
      "distance cosine, optimiser signed-adam",
      "dlg on `gradient (gradient.h5)`: the objective went from 812 over 4.1 after 150 iterations to "
        + "3.5 after 300 iterations. It ended: the line search found no step.",
      "that does not say that nothing is there",
    ] {
      #expect(section.contains(part), "\(part)")
    }
    #expect(!MarkdownReport().render(Fixture.empty).contains("Numerical inversion"))
  }

  @Test("columns that no attack fills are left out")
  func columns() {
    var plain = Fixture.inversions[0]
    plain.quality = nil
    plain.seconds = nil
    let text = MarkdownReport().render(report([plain]))
    for word in ["| Spread", "| Time", "Against the truth", "PSNR"] {
      #expect(!text.contains(word), "\(word)")
    }
  }

  @Test("a course of one point is none, and says so")
  func shortCourse() {
    var short = Fixture.inversions[0]
    short.curve = [.init(iteration: 0, objective: 1)]
    let text = MarkdownReport().render(report([short]))
    #expect(text.contains("no course of the objective was recorded. It ended: all iterations"))
  }

  @Test("the plot has a line for each attack that falls where the objective does")
  func lines() throws {
    let root = try svg(Fixture.inversions)
    let lines = elements("polyline", of: root).map(points).filter { $0.count > 2 }
    try #require(lines.count == 2)
    for (line, inversion) in zip(lines, Fixture.inversions) {
      #expect(line.count == inversion.curve.count)
      for (point, next) in zip(
        zip(line, line.dropFirst()), zip(inversion.curve, inversion.curve.dropFirst()))
      where next.0.objective > 1.05 * next.1.objective {
        #expect(point.0[1] < point.1[1] && point.0[0] < point.1[0])
      }
    }
    // Both end at one iteration of their own; 300 of 4,800 is a sixteenth of the width.
    let (first, second) = (lines[0], lines[1])
    let width = first[120][0] - first[0][0]
    #expect(abs((second[4][0] - second[0][0]) / width - 1.0 / 16) < 1e-3)
  }

  @Test("equal factors are equally far apart")
  func logarithm() throws {
    var inversion = Fixture.inversions[0]
    inversion.curve = [1, 0.1, 0.01, 0.001].enumerated().map {
      .init(iteration: $0.offset, objective: $0.element)
    }
    let root = try svg([inversion])
    let line = try #require(elements("polyline", of: root).map(points).first { $0.count == 4 })
    let steps = zip(line, line.dropFirst()).map { $1[1] - $0[1] }
    // Coordinates have one decimal.
    #expect(steps.allSatisfy { abs($0 - 100) < 0.11 }, "\(steps)")
  }

  @Test("labels of the axes lie at what they say", arguments: [0.3, 0.0421, 7, 1e-12, 4e200])
  func ticks(end: Double) throws {
    var inversion = Fixture.inversions[0]
    inversion.restarts = []
    inversion.curve = [
      .init(iteration: 0, objective: 10 * end), .init(iteration: 3, objective: 2 * end),
      .init(iteration: 7, objective: end),
    ]
    let root = try svg([inversion])
    let labels = elements("text", of: root).filter {
      attribute("text-anchor", of: $0) == "end"
        && Double($0.stringValue ?? "") != nil
    }
    let values = labels.compactMap { Double($0.stringValue ?? "") }
    #expect(values.count >= 3 && values == values.sorted())
    #expect(values.first ?? .infinity <= end && values.last ?? 0 >= 10 * end)
    #expect(values.count <= 9)
  }

  @Test("an objective that hardly falls has labels within its decade")
  func narrow() throws {
    var inversion = Fixture.inversions[0]
    inversion.curve = [.init(iteration: 0, objective: 0.45), .init(iteration: 9, objective: 0.21)]
    let labels = try elements("text", of: svg([inversion])).compactMap(\.stringValue)
    #expect(
      labels.filter { Double($0).map { $0 < 1 && $0 > 0 } ?? false } == [
        "0.2", "0.3", "0.4", "0.5",
      ])
  }

  @Test("points that are no number leave a gap, and what is not above 0 lies at the bottom")
  func gaps() throws {
    var inversion = Fixture.inversions[0]
    inversion.curve = [1, 0.1, .nan, 0.1, 0, -1].enumerated().map {
      .init(iteration: $0.offset, objective: $0.element)
    }
    let root = try svg([inversion])
    // The legend's line comes last.
    let lines = elements("polyline", of: root).map(points).dropLast()
    try #require(lines.map(\.count) == [2, 3])
    let depths = lines.joined().map { $0[1] }
    #expect(depths[3] == depths[4] && depths[4] == depths.max())
  }

  @Test("without attacks the picture says so, and with many it counts those left out")
  func numbers() throws {
    let empty = try svg([])
    #expect(elements("polyline", of: empty).isEmpty)
    #expect(empty.stringValue?.contains("No numerical attack ran") == true)
    let many = try svg(Array(repeating: Fixture.inversions[0], count: 15))
    #expect(many.stringValue?.contains("3 more attacks ran") == true)
  }

  @Test("the picture refers to nothing outside", arguments: ["full", "empty", "hostile"])
  func selfContained(subject: String) throws {
    let text = SVGPlot().render(try #require(GoldenFileTests.reports[subject]))
    for word in ["href", "url(", "<image", "<script", "@import", "onload", "DOCTYPE", "<foreign"] {
      #expect(!text.contains(word), "\(word)")
    }
    #expect(try XMLDocument(xmlString: text).rootElement()?.name == "svg")
    let elements = text.split(separator: "\n").compactMap {
      $0.firstMatch(of: /^ *<([a-z]+)[ >]/).map { String($0.1) }
    }
    #expect(
      Set(elements).isSubset(
        of: ["svg", "title", "desc", "style", "rect", "line", "polyline", "circle", "text"]))
  }
}
