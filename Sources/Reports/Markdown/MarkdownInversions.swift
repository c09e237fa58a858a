internal import AuditModel

/// Which numerical attacks were tried, how their objectives went, and how to read that.
enum MarkdownInversions {
  static func lines(_ inversions: [InversionSummary]) -> [String] {
    guard !inversions.isEmpty else { return [] }
    let hasTruth = inversions.contains { $0.quality != nil }
    let shown = table(inversions).keeping { column in
      switch column.heading {
      case "Spread": inversions.contains { $0.spread != nil }
      case "Time": inversions.contains { $0.seconds != nil }
      case "Against the truth": hasTruth
      default: true
      }
    }
    return ["## Numerical inversion", ""] + shown.lines + [""]
      + inversions.map { "- " + course($0) } + ["", reading(inversions)]
      + (hasTruth ? ["", measures(inversions.compactMap(\.quality))] : [])
  }

  private static func table(_ inversions: [InversionSummary]) -> MarkdownTable {
    var table = MarkdownTable([
      .init("Attack"), .init("File"), .init("Source"), .init("Settings"), .init("Start"),
      .init("Samples", isNumeric: true), .init("Restarts"),
      .init("Iterations", isNumeric: true), .init("Objective", isNumeric: true),
      .init("Gradient match", isNumeric: true), .init("Spread", isNumeric: true),
      .init("Time", isNumeric: true), .init("Against the truth"),
    ])
    for inversion in inversions {
      table.add([
        inversion.attack.rawValue, Escaped.cell(name: inversion.artifact),
        Escaped.cell(name: inversion.source), settings(inversion.settings),
        Escaped.cell(text: inversion.start), DisplayedNumber.grouped(inversion.samples),
        restarts(inversion.restarts), DisplayedNumber.grouped(inversion.iterations),
        number(inversion.objective), number(inversion.gradientMatch),
        inversion.spread.map(number) ?? "",
        inversion.seconds.map { DisplayedNumber.significant($0) + " s" } ?? "",
        inversion.quality.map(quality) ?? "",
      ])
    }
    return table
  }

  /// Every setting, those with a column of their own left out.
  private static func settings(_ settings: [InversionSettings.Setting]) -> String {
    settings.filter { $0.name != "iterations" && $0.name != "restarts" }
      .map { Escaped.cell(text: "\($0.name) \($0.value)") }.joined(separator: ", ")
  }

  private static func restarts(_ restarts: [InversionSummary.Restart]) -> String {
    let abandoned = restarts.count { $0.isAbandoned }
    return DisplayedNumber.grouped(restarts.count)
      + (abandoned > 0 ? ", \(DisplayedNumber.grouped(abandoned)) abandoned" : "")
  }

  private static func number(_ value: Double) -> String { DisplayedNumber.significant(value) }

  private static func quality(_ quality: RecoverySummary.Quality) -> String {
    let count = quality.psnr.count
    var parts: [String] = []
    if let mean = mean(quality.psnr) {
      let grey = "a grey picture scores \(number(quality.greyPSNR)) dB"
      parts.append(
        "PSNR \(number(mean)) dB" + spread(quality.psnr, unit: " dB") + ", \(grey)")
    }
    if let values = quality.structuralSimilarity, let mean = mean(values) {
      parts.append("SSIM \(number(mean))" + spread(values, unit: ""))
    }
    if let values = quality.featureDistance, let mean = mean(values) {
      parts.append("feature distance \(number(mean))")
    }
    if let identified = quality.identified {
      parts.append("\(DisplayedNumber.grouped(identified)) of \(count) identified")
    }
    if let correct = quality.labelsCorrect {
      parts.append("\(correct) of \(DisplayedNumber.counted(count, "label")) right")
    }
    return parts.joined(separator: "; ")
  }

  /// The worst and the best of several.
  private static func spread(_ values: [Double], unit: String) -> String {
    guard values.count > 1, let worst = values.min(), let best = values.max() else { return "" }
    return " (\(number(worst)) to \(number(best))\(unit))"
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

// MARK: - Sentences

extension MarkdownInversions {
  /// How the objective of the best restart went, and why the attack ended.
  private static func course(_ inversion: InversionSummary) -> String {
    let name = "\(inversion.attack.rawValue) on \(Escaped.markdownCode(inversion.source)): "
    return name + descent(inversion.curve) + "It ended: " + sentence(inversion.stop)
  }

  private static func descent(_ curve: [InversionSummary.Point]) -> String {
    guard let first = curve.first, let last = curve.last, curve.count > 1 else {
      return "no course of the objective was recorded. "
    }
    let halfway = first.iteration + (last.iteration - first.iteration) / 2
    let middle = curve.last { $0.iteration <= halfway } ?? first
    var text = "the objective went from \(number(first.objective))"
    if middle.iteration > first.iteration {
      text +=
        " over \(number(middle.objective)) after "
        + DisplayedNumber.counted(middle.iteration, "iteration")
    }
    return text + " to \(number(last.objective)) after "
      + DisplayedNumber.counted(last.iteration, "iteration") + ". "
  }

  /// A few words from elsewhere with exactly one full stop.
  private static func sentence(_ text: String) -> String {
    let shown = Escaped.markdownText(text)
    return shown.hasSuffix(".") ? shown : shown + "."
  }

  private static func reading(_ inversions: [InversionSummary]) -> String {
    "A numerical attack is a search: where it found nothing, that does not say that nothing is there, "
      + "since another start, other settings or more time may find it. The objective is that of the "
      + "attack's own distance, so it does not compare attacks; the gradient match does: the relative "
      + "error of the simulated gradient, dimensionless. A gradient match near 0 does not say either "
      + "that the pictures are right, for several inputs may have nearly the same gradient"
      + (inversions.contains { $0.spread != nil }
        ? "; a small spread, how far restarts ended from one another relative to the pictures' own "
          + "deviation, speaks against that." : ".")
  }

  private static func measures(_ qualities: [RecoverySummary.Quality]) -> String {
    "The comparison with the supplied truth took place after the search, which never saw it; samples "
      + "are assigned so that their errors are least. PSNR is in decibels (dB), mean over samples"
      + (qualities.contains { $0.structuralSimilarity != nil }
        ? "; SSIM is structural similarity, 1 for equal pictures" : "")
      + (qualities.contains { $0.featureDistance != nil }
        ? "; the feature distance is squared, between what enters the classifier" : "")
      + (qualities.contains { $0.identified != nil }
        ? "; a sample is identified if it is nearer to its original than to any other true sample"
        : "") + "."
  }
}
