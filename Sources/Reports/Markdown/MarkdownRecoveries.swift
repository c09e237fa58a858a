internal import AuditModel

/// What was recovered, how well it explains the gradient, and how far it is from a supplied truth.
enum MarkdownRecoveries {
  static func lines(_ recoveries: [RecoverySummary]) -> [String] {
    var lines = ["## Recovered inputs", ""]
    guard !recoveries.isEmpty else { return lines + ["No input was recovered from these files."] }
    var table = MarkdownTable([
      .init("File"), .init("Layer"), .init("Source"), .init("Samples"), .init("Certificate"),
      .init("Certificate compares"), .init("Predicted error per entry"), .init("Against the truth"),
      .init("Method"),
    ])
    for recovery in recoveries {
      table.add([
        Escaped.cell(name: recovery.artifact), layer(recovery),
        Escaped.cell(name: recovery.source), samples(recovery), certificate(recovery),
        Escaped.cell(text: recovery.certificateScope), predicted(recovery.predictedError),
        recovery.quality.map(quality) ?? "", Escaped.cell(text: recovery.method),
      ])
    }
    let hasTruth = recoveries.contains { $0.quality != nil }
    lines += table.keeping { hasTruth || $0.heading != "Against the truth" }.lines
    lines += [
      "",
      "The certificate is the relative error of the gradient simulated from what was recovered, "
        + "dimensionless and for the worst sample. The predicted error is a root mean square in "
        + "the units of the layer's input.",
    ]
    guard hasTruth else { return lines }
    let hasSimilarity = recoveries.contains { $0.quality?.structuralSimilarity != nil }
    return lines + [
      "",
      "The comparison with the supplied truth took place after the recovery, which never saw it. "
        + "PSNR is the peak signal-to-noise ratio in decibels (dB) on inputs clamped to 0…1, or to "
        + "the range of the truth where the row states one; the width of the range is the peak. MSE "
        + "is the mean squared error in squared input units"
        + (hasSimilarity ? ", SSIM structural similarity, 1 for equal pictures." : "."),
    ]
  }

  private static func layer(_ recovery: RecoverySummary) -> String {
    Escaped.cell(name: recovery.layer)
      + (recovery.isModelInput ? " (the model's own input)" : " (hidden features)")
  }

  private static func samples(_ recovery: RecoverySummary) -> String {
    let size = recovery.batchSize.map(DisplayedNumber.grouped) ?? "an unknown number"
    return "\(DisplayedNumber.grouped(recovery.samples)) of \(size)"
  }

  private static func certificate(_ recovery: RecoverySummary) -> String {
    let error = DisplayedNumber.significant(recovery.certificate, digits: 2)
    return (recovery.proven ? "proven" : "not proven") + ", relative error \(error)"
  }

  private static func predicted(_ error: Double) -> String {
    guard error.isFinite else { return "not predictable" }
    return DisplayedNumber.significant(error, digits: 2) + " input units"
  }

  private static func quality(_ quality: RecoverySummary.Quality) -> String {
    var parts: [String] = []
    if let text = range("PSNR", quality.psnr, unit: " dB", largerIsBetter: true) {
      parts.append(text + range(quality.valueRange))
      parts.append(baselines(quality))
    }
    if let text = range("MSE", quality.meanSquaredError, unit: "", largerIsBetter: false) {
      parts.append(text)
    }
    if let text = quality.structuralSimilarity.flatMap({
      range("SSIM", $0, unit: "", largerIsBetter: true)
    }) {
      parts.append(text)
    }
    if let identified = quality.identified {
      parts.append("\(identified) of \(quality.psnr.count) nearest to their own original")
    }
    if let correct = quality.labelsCorrect {
      let count = max(quality.psnr.count, quality.meanSquaredError.count)
      parts.append("\(correct) of \(DisplayedNumber.counted(count, "label")) right")
    }
    return parts.joined(separator: "; ")
  }

  /// The range of values where it is not that of a picture.
  private static func range(_ values: ClosedRange<Double>) -> String {
    guard values != 0...1 else { return "" }
    let bounds = [values.lowerBound, values.upperBound].map { DisplayedNumber.significant($0) }
    return " (values \(bounds[0])…\(bounds[1]))"
  }

  /// What pictures without content score on the same truth.
  private static func baselines(_ quality: RecoverySummary.Quality) -> String {
    let grey = DisplayedNumber.significant(quality.greyPSNR) + " dB"
    guard let mean = quality.meanImagePSNR else {
      return "the middle value everywhere scores \(grey)"
    }
    return "a grey picture scores \(grey), one of the right mean colour "
      + "\(DisplayedNumber.significant(mean)) dB"
  }

  /// The worst and the best sample; one number if they do not differ in print.
  private static func range(
    _ name: String, _ values: [Double], unit: String, largerIsBetter: Bool
  ) -> String? {
    guard !values.isEmpty else { return nil }
    guard !values.contains(where: \.isNaN), let low = values.min(), let high = values.max() else {
      return "\(name) not a number"
    }
    let (worst, best) = largerIsBetter ? (low, high) : (high, low)
    let texts = [worst, best].map { DisplayedNumber.significant($0) + unit }
    return texts[0] == texts[1]
      ? "\(name) \(texts[0])" : "\(name) \(texts[0]) (worst) to \(texts[1]) (best)"
  }
}
