package import AuditModel

/// The objectives of numerical attacks over their iterations, as one picture.
///
/// A file of its own without references to others, on a card with a background, so that it can be
/// read on any page. Equal reports give equal bytes; coordinates have one decimal.
package struct SVGPlot: ReportFormat {
  package static let name = "svg"
  package static let summary = "a plot of the objectives of numerical attacks"

  private static let width = 840.0
  private static let plotHeight = 300.0
  private static let rowHeight = 22.0
  /// The most letters of a source in the legend.
  private static let sourceLimit = 34
  /// The most letters of a line of text.
  private static let lineLimit = 120
  /// The most notices about suppressions.
  private static let noticeLimit = 3

  package init() {}

  package func render(_ report: AuditReport) -> String {
    report.inversions.isEmpty ? note(report) : plot(report)
  }

  /// The picture of a report without numerical attacks.
  private func note(_ report: AuditReport) -> String {
    let text = "No numerical attack ran, so there is no course of an objective to draw."
    return document(report, [SVG.text(text, 24, 38, "text")], notesTop: 66, policy(report))
  }

  private func plot(_ report: AuditReport) -> String {
    let plot = ObjectivePlot(
      report.inversions, left: 84, top: 56, width: Self.width - 84 - 24, height: Self.plotHeight)
    let legendTop = 56 + Self.plotHeight + 74
    let legend = plot.inversions.enumerated().flatMap { index, inversion in
      row(inversion, index, legendTop + Double(index) * Self.rowHeight)
    }
    let notesTop = legendTop + Double(plot.inversions.count) * Self.rowHeight + 8
    return document(
      report,
      [SVG.text("Numerical inversion: how the objective fell", 24, 34, "head")] + plot.elements
        + legend, notesTop: notesTop, notes(report) + policy(report))
  }

  /// The picture with lines of text at its foot.
  private func document(
    _ report: AuditReport, _ elements: [XMLElement], notesTop: Double, _ notes: [String]
  ) -> String {
    let lineHeight = 18.0
    let notes = notes.flatMap(wrapped)
    return SVG.document(
      width: Self.width, height: notesTop + Double(notes.count) * lineHeight + 8,
      title: "leakaudit: numerical inversion", description: description(report),
      elements
        + notes.enumerated().map {
          SVG.text($0.element, 24, notesTop + Double($0.offset) * lineHeight, "small")
        })
  }

  private func row(_ inversion: InversionSummary, _ index: Int, _ y: Double) -> [XMLElement] {
    let source = VisibleText.of(inversion.source, limit: Self.sourceLimit)
    let quality = inversion.quality.flatMap { quality in
      quality.psnr.isEmpty
        ? nil : quality.psnr.reduce(0, +) / Double(quality.psnr.count)
    }
    let end =
      "\(DisplayedNumber.significant(inversion.objective)) after "
      + DisplayedNumber.counted(inversion.iterations, "iteration")
      + (quality.map { ", \(DisplayedNumber.significant($0)) dB" } ?? "")
    return [
      SVG.polyline([(24, y - 4), (60, y - 4)], index),
      SVG.text("\(inversion.attack.rawValue), \(source)", 70, y, "text"),
      SVG.text(end, Self.width - 24, y, "small", anchor: "end"),
    ]
  }

  /// What a reader has to know to read the picture.
  private func notes(_ report: AuditReport) -> [String] {
    let inversions = report.inversions
    var notes: [String] = []
    let left = inversions.count - ObjectivePlot.longestLegend
    if left > 0 {
      notes.append(
        "\(DisplayedNumber.counted(left, "more attack")) ran; the JSON report has their courses.")
    }
    if inversions.contains(where: { $0.restarts.count > 1 }) {
      notes.append(
        "Lines are the best restarts; small dots are where restarts ended, open if given up.")
    }
    let distances = Set(
      inversions.flatMap { $0.settings.filter { $0.name == "distance" }.map(\.value) })
    if distances.count > 1 {
      notes.append("Objectives of different distances cannot be compared with one another.")
    }
    return notes
  }

  /// What is suppressed, and which suppressions are past their day.
  private func policy(_ report: AuditReport) -> [String] {
    let expired = report.policy.notices.filter { $0.kind == .expired }
    let rest = expired.count - Self.noticeLimit
    return [PolicyText.suppressed(report.policy)]
      + expired.prefix(Self.noticeLimit).map {
        "\($0.place): \($0.text)"
      }
      + (rest > 0 ? ["\(DisplayedNumber.grouped(rest)) more suppressions expired."] : [])
  }

  /// A text in lines, of which each ends between words where it can.
  private func wrapped(_ text: String) -> [String] {
    var lines = [""]
    for word in VisibleText.of(text, limit: 4 * Self.lineLimit).split(separator: " ") {
      let word = VisibleText.of(String(word), limit: Self.lineLimit - 1)
      if lines[lines.count - 1].isEmpty {
        lines[lines.count - 1] = word
      } else if lines[lines.count - 1].count + 1 + word.count <= Self.lineLimit {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(word)
      }
    }
    return lines
  }

  private func description(_ report: AuditReport) -> String {
    "\(report.verdict) Exit code \(report.exitCode). \(PolicyText.suppressed(report.policy))"
  }
}
