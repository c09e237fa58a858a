internal import AuditModel

/// The objectives of attacks over their iterations, as elements of an SVG picture.
struct ObjectivePlot {
  /// Attacks with lines of their own; more could not be told apart.
  static let longestLegend = 12
  /// The most dots of one attack.
  private static let dotLimit = 200

  let inversions: [InversionSummary]
  private let objective: LogarithmicAxis
  private let iteration: CountingAxis
  private let frame: (left: Double, top: Double, width: Double, height: Double)

  init(
    _ inversions: [InversionSummary], left: Double, top: Double, width: Double, height: Double
  ) {
    self.inversions = Array(inversions.prefix(Self.longestLegend))
    frame = (left, top, width, height)
    objective = LogarithmicAxis(
      self.inversions.flatMap { inversion in
        inversion.curve.map(\.objective) + Self.dots(inversion).map(\.objective)
      })
    iteration = CountingAxis(
      last: self.inversions.flatMap { inversion in
        inversion.curve.map(\.iteration) + Self.dots(inversion).map(\.iterations)
      }.max() ?? 1)
  }

  var elements: [XMLElement] {
    grid + labels + inversions.enumerated().flatMap { dots($0.element, $0.offset) }
      + inversions.enumerated().flatMap { line($0.element, $0.offset) }
  }

  private func x(_ share: Double) -> Double { frame.left + share * frame.width }
  private func y(_ share: Double) -> Double { frame.top + (1 - share) * frame.height }

  private var grid: [XMLElement] {
    objective.ticks.map { tick in
      SVG.line(
        (frame.left, y(tick.share)), (frame.left + frame.width, y(tick.share)), "grid")
    } + [
      SVG.line((frame.left, y(0)), (frame.left + frame.width, y(0)), "axis"),
      SVG.line((frame.left, y(1)), (frame.left, y(0)), "axis"),
    ]
      + iteration.ticks.map { tick in
        SVG.line((x(tick.share), y(0)), (x(tick.share), y(0) + 5), "axis")
      }
  }

  private var labels: [XMLElement] {
    objective.ticks.map { tick in
      SVG.text(tick.label, frame.left - 10, y(tick.share) + 4, "small", anchor: "end")
    }
      + iteration.ticks.map { tick in
        SVG.text(tick.label, x(tick.share), y(0) + 20, "small", anchor: "middle")
      } + [
        SVG.text("iteration", frame.left + frame.width / 2, y(0) + 40, "text", anchor: "middle"),
        SVG.turnedText("objective, logarithmic", 20, frame.top + frame.height / 2, "text"),
      ]
  }

  /// The course of the best restart; points without a number leave a gap.
  private func line(_ inversion: InversionSummary, _ index: Int) -> [XMLElement] {
    let runs = inversion.curve.split { !$0.objective.isFinite }.map { run in
      run.map { point in (x(iteration.share(point.iteration)), y(objective.share(point.objective)))
      }
    }
    guard let end = runs.last?.last else { return [] }
    return runs.filter { $0.count > 1 }.map { SVG.polyline($0, index) }
      + [SVG.dot(end, radius: 4, index)]
  }

  /// Where the restarts ended.
  private func dots(_ inversion: InversionSummary, _ index: Int) -> [XMLElement] {
    Self.dots(inversion).map { restart in
      SVG.dot(
        (x(iteration.share(restart.iterations)), y(objective.share(restart.objective))),
        radius: 2.5, index, isFilled: !restart.isAbandoned)
    }
  }

  private static func dots(_ inversion: InversionSummary) -> [InversionSummary.Restart] {
    guard inversion.restarts.count > 1 else { return [] }
    return inversion.restarts.filter { $0.objective.isFinite }.prefix(dotLimit).map { $0 }
  }
}
