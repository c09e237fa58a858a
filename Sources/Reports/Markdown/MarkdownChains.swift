internal import AuditModel

/// How far down a network the closed forms go, one table per source.
enum MarkdownChains {
  /// The most rows of a table; beyond, the middle shares a row that says how many there are.
  private static let longestTable = 60

  /// - Returns: Nothing if there is no chain.
  static func lines(_ chains: [ChainSummary]) -> [String] {
    guard !chains.isEmpty else { return [] }
    return ["## How far down the network"] + chains.flatMap(section)
  }

  private static func section(_ chain: ChainSummary) -> [String] {
    let steps = chain.steps.isEmpty ? [] : [""] + table(chain.steps).lines + [""] + legend(chain)
    return ["", introduction(chain)] + steps + ["", end(chain)]
      + (chain.jointSolve.map { ["", "All equations at once: " + sentence($0)] } ?? [])
      + (chain.withheld.flatMap(withheld).map { ["", $0] } ?? [])
  }

  /// What a truth says of an estimate that is not claimed.
  private static func withheld(_ estimate: ChainSummary.Withheld) -> String? {
    estimate.quality?.meanSquaredError.first.map { square in
      "Compared with the truth, the estimate that is not claimed is off by "
        + "\(square.squareRoot().displayed) per value, where \(estimate.predictedError.displayed) was "
        + "predicted."
    }
  }

  private static func introduction(_ chain: ChainSummary) -> String {
    "\(Escaped.markdownCode(chain.artifact)), \(Escaped.markdownCode(chain.source)): from the output "
      + "down to the input, each row is what one layer receives, and *exact* means that the layer's "
      + "input is determined, so that whoever sees the gradient of one sample can compute it."
  }

  private static func table(_ steps: [ChainSummary.Step]) -> MarkdownTable {
    var table = MarkdownTable([
      .init("Layer"), .init("Kind"), .init("Unknowns", isNumeric: true),
      .init("Equations (forward + gradient)", isNumeric: true), .init("Rank", isNumeric: true),
      .init("Amplification", isNumeric: true), .init("Residual", isNumeric: true),
      .init("Predicted relative error", isNumeric: true), .init("Outcome"), .init("How"),
    ])
    let end = steps.firstIndex { $0.outcome == .subspace || $0.outcome == .stopped } ?? steps.count
    let rows = steps.enumerated().map { row($1, isBelowEnd: $0 > end) }
    guard steps.count > longestTable else {
      for row in rows { table.add(row) }
      return table
    }
    let half = longestTable / 2
    for row in rows.prefix(half) { table.add(row) }
    let middle = steps[half..<steps.count - half]
    let counts = ChainSummary.Outcome.allCases.compactMap { outcome -> String? in
      let count = middle.count { $0.outcome == outcome }
      return count > 0 ? "\(DisplayedNumber.grouped(count)) \(words(outcome))" : nil
    }
    table.add(
      ["\(DisplayedNumber.counted(middle.count, "layer")) between, which the JSON report lists"]
        + Array(repeating: "", count: 7) + [counts.joined(separator: ", "), ""])
    for row in rows.suffix(half) { table.add(row) }
    return table
  }

  // Below a map that stayed open, maps were ranked as if it were known.
  private static func row(_ step: ChainSummary.Step, isBelowEnd: Bool) -> [String] {
    let how = [step.route, step.note].filter { !$0.isEmpty }.joined(separator: "; ")
    return [
      Escaped.cell(name: step.layer), Escaped.cell(text: step.kind),
      DisplayedNumber.grouped(step.unknowns),
      DisplayedNumber.grouped(step.forwardEquations) + " + "
        + DisplayedNumber.grouped(step.gradientEquations),
      step.rank.map(DisplayedNumber.grouped) ?? "", number(step.amplification),
      number(step.residual), number(step.relativeError),
      outcome(step, isBelowEnd), Escaped.cell(text: how),
    ]
  }

  private static func outcome(_ step: ChainSummary.Step, _ isBelowEnd: Bool) -> String {
    guard step.outcome == .exact else { return words(step.outcome) }
    return isBelowEnd ? "exact if known above" : "**exact**"
  }

  private static func number(_ value: Double?) -> String {
    value.map { DisplayedNumber.significant($0, digits: 2) } ?? ""
  }

  private static func legend(_ chain: ChainSummary) -> [String] {
    let tolerance = DisplayedNumber.significant(chain.rankTolerance, digits: 2)
    let used = ChainSummary.Outcome.allCases.filter { outcome in
      outcome != .exact && chain.steps.contains { $0.outcome == outcome }
    }
    return [
      "- Amplification: how many times larger the relative error of a layer's input is than that of "
        + "the gradient; 1,000 turns an error in the seventh digit into one in the fourth.",
      "- Rank: how many of the equations are independent, counting singular values above "
        + "\(tolerance) of the largest; as many as unknowns determine the input.",
      "- Residual: relative misfit of the gradient equations.",
    ] + used.map { "- \(words($0)): \(meaning($0))" }
  }

  private static func end(_ chain: ChainSummary) -> String {
    if chain.reachesInput { return "The chain reaches the model's own input." }
    return "Where it ends: " + (chain.stop.map(sentence) ?? "the report does not say why.")
  }

  /// A sentence from elsewhere with exactly one full stop.
  private static func sentence(_ text: String) -> String {
    let shown = Escaped.markdownText(text)
    return shown.hasSuffix(".") ? shown : shown + "."
  }

  private static func words(_ outcome: ChainSummary.Outcome) -> String {
    switch outcome {
    case .exact: "exact"
    case .gradientOnly: "gradient only"
    case .subspace: "subspace"
    case .stopped: "stopped"
    }
  }

  private static func meaning(_ outcome: ChainSummary.Outcome) -> String {
    switch outcome {
    case .exact: "the layer's input is determined."
    case .gradientOnly:
      "the layer's input stays open, but the loss gradient behind it is known and leads on."
    case .subspace: "fewer independent equations than unknowns; the rest of the input stays open."
    case .stopped: "nothing further can be said here; do not read this as safe."
    }
  }
}
