internal import AuditModel

/// What the audit checked before it judged, what it cleared and what it left out.
enum MarkdownCoverage {
  static func preflight(_ checks: [PreflightCheck]) -> [String] {
    let lines = ["## Checks before the audit", ""]
    guard !checks.isEmpty else { return lines + ["No check applied to these files."] }
    var table = MarkdownTable([
      .init("File"), .init("Check"), .init("Status"), .init("Value"), .init("What it may mean"),
    ])
    for check in checks {
      table.add([
        Escaped.cell(name: check.artifact), Escaped.cell(text: check.check), word(check.status),
        Escaped.cell(text: check.value), Escaped.cell(text: check.explanation ?? ""),
      ])
    }
    let hasExplanation = checks.contains { $0.explanation != nil }
    return lines + table.keeping { hasExplanation || $0.heading != "What it may mean" }.lines
  }

  static func nothingFound(_ layers: [LayerSummary]) -> [String] {
    let cleared = layers.filter { $0.leak == .none }
    let lines = ["## Nothing found", ""]
    guard !cleared.isEmpty else {
      return lines + ["No layer was examined and found without a leak."]
    }
    return lines + [
      "\(DisplayedNumber.counted(cleared.count, "layer was", plural: "layers were")) examined and "
        + "found without a leak, under the condition that the table of layers states:",
      "",
    ] + names(cleared)
  }

  static func notLookedAt(_ skipped: [Skipped], layers: [LayerSummary]) -> [String] {
    let lists = [
      (LayerLeak.notAnalysed, "not analysed and may leak:"),
      (.inconclusive, "not judged and may leak:"),
    ].map { leak, words in list(layers.filter { $0.leak == leak }, words) }
    let parts = ([table(of: skipped)] + lists).filter { !$0.isEmpty }
    guard !parts.isEmpty else { return ["## Not looked at", "", "Nothing was skipped."] }
    return ["## Not looked at"] + parts.flatMap { [""] + $0 }
  }

  private static func table(of skipped: [Skipped]) -> [String] {
    guard !skipped.isEmpty else { return [] }
    var table = MarkdownTable([.init("File"), .init("What"), .init("Why")])
    for item in skipped {
      table.add([
        Escaped.cell(name: item.artifact), Escaped.cell(text: item.what),
        Escaped.cell(text: item.why),
      ])
    }
    return table.lines
  }

  private static func list(_ layers: [LayerSummary], _ words: String) -> [String] {
    guard !layers.isEmpty else { return [] }
    return [
      "\(DisplayedNumber.counted(layers.count, "layer was", plural: "layers were")) \(words)", "",
    ] + names(layers)
  }

  /// What the report says and what it does not, the same in every report.
  static let scope = """
    ## Scope and limits

    - A failed attack is not evidence of privacy. Only what is listed was tried, and a stronger \
    attack may succeed where these do not.
    - This version recovers the inputs of dense layers in closed form, and those of convolutions as \
    far as the table of layers says. Attention and recurrent layers are not analysed; a network made \
    of them may leak all the same.
    - A certificate proves that the recovered input explains the gradient. Where the gradient \
    determines the input, the recovery is therefore the input.
    - A structural finding says what an attacker can do with a gradient. It needs somebody who sees \
    one, such as the server of federated learning or the reader of a checkpoint with optimiser \
    state.
    - An estimate holds under its stated assumption only. Label counts of a trained network are \
    estimates unless the report calls them exact.
    - The report speaks about the listed files, identified by their digests, and about nothing else.
    """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)

  private static func word(_ status: PreflightCheck.Status) -> String {
    switch status {
    case .ok: "ok"
    case .warning: "**warning**"
    case .mismatch: "**mismatch**"
    case .notChecked: "not checked"
    }
  }

  /// The most names on a line; beyond, the line says how many there are.
  private static let longestList = 60

  /// One line per file with its layers' names.
  private static func names(_ layers: [LayerSummary]) -> [String] {
    var order: [String] = []
    var byFile: [String: [String]] = [:]
    for layer in layers {
      if byFile[layer.artifact] == nil { order.append(layer.artifact) }
      byFile[layer.artifact, default: []].append(Escaped.markdownCode(layer.name))
    }
    return order.map { file in
      let names = byFile[file] ?? []
      let others = names.count - longestList
      return "- \(Escaped.markdownCode(file)): "
        + names.prefix(longestList).joined(separator: ", ")
        + (others > 0
          ? " and \(DisplayedNumber.grouped(others)) more, which the JSON report lists" : "")
    }
  }
}
