internal import AuditModel

/// What the classifier's gradient discloses about the labels.
enum MarkdownLabels {
  static func lines(_ labels: LabelSummary?) -> [String] {
    var lines = ["## Labels", ""]
    guard let labels else { return lines + ["No source disclosed the labels of a batch."] }
    lines += [
      labels.present.isEmpty
        ? "No class is certain to be in the batch."
        : "Certainly in the batch (classes count from 0): \(ranges(labels.present)).", "",
    ]
    if labels.counts == nil {
      lines.append(
        "How many samples each class has is unknown; a class that is not listed may be there too.")
    } else {
      lines.append(
        labels.exact
          ? "The counts below are exact under the stated method."
          : "The counts below are estimates; the truth lies within the interval if the stated "
            + "assumption holds.")
    }
    if labels.counts != nil || labels.interval != nil { lines += [""] + table(labels) }
    lines += ["", "Method: " + Escaped.markdownText(labels.method)]
    return lines + ["", "Source: " + Escaped.markdownCode(labels.source)]
  }

  /// One row per class that may have samples; the others share one row.
  private static func table(_ labels: LabelSummary) -> [String] {
    let present = Set(labels.present)
    var table = MarkdownTable([
      .init("Class", isNumeric: true),
      .init(labels.exact ? "Samples" : "Estimated samples", isNumeric: true),
      .init("Interval (samples)", isNumeric: true),
      .init("Certain"),
    ])
    var empty = 0
    for index in 0..<max(labels.counts?.count ?? 0, labels.interval?.count ?? 0) {
      let count = labels.counts.flatMap { index < $0.count ? $0[index] : nil }
      let bounds = labels.interval.flatMap { index < $0.count ? $0[index] : nil }
      let isEmpty = (count ?? 0) == 0 && (bounds ?? []).allSatisfy { $0 == 0 }
      if isEmpty, !present.contains(index) {
        empty += 1
        continue
      }
      table.add([
        String(index), count.map(DisplayedNumber.grouped) ?? "",
        bounds.map { $0.map(DisplayedNumber.grouped).joined(separator: "–") } ?? "",
        present.contains(index) ? "yes" : "no",
      ])
    }
    if empty > 0 {
      let others = DisplayedNumber.counted(
        empty, table.rows.isEmpty ? "class" : "other class",
        plural: table.rows.isEmpty ? "classes" : "other classes")
      table.add([others, labels.counts == nil ? "" : "0 each", "", "no"])
    }
    return table.lines
  }

  /// Ascending numbers with runs of three or more joined: `0, 2, 5–9`.
  private static func ranges(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in Set(numbers).sorted() {
      if let last = runs.last, last.upperBound == number - 1 {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.flatMap { run in
      run.count < 3 ? run.map(String.init) : ["\(run.lowerBound)–\(run.upperBound)"]
    }.joined(separator: ", ")
  }
}
