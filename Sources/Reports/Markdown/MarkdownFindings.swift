internal import AuditModel

/// The findings, one section per class of evidence, the strongest class first.
enum MarkdownFindings {
  static func lines(_ findings: [Finding]) -> [String] {
    guard !findings.isEmpty else {
      return [
        "## Findings", "",
        "No findings. *Nothing found* and *Not looked at* below are different lists.",
      ]
    }
    let sorted = findings.sorted(by: Finding.reportOrder)
    let groups = Evidence.allCases.map { evidence in
      (evidence, sorted.filter { $0.evidence == evidence })
    }
    return Array(
      groups.filter { !$0.1.isEmpty }.map { evidence, group in
        ["## Findings: \(evidence.rawValue)", "", explanation(evidence)] + group.flatMap(entry)
      }.joined(separator: [""]))
  }

  /// What a class of evidence is worth, in one sentence.
  private static func explanation(_ evidence: Evidence) -> String {
    switch evidence {
    case .proven:
      "An input was recovered from the files, and the gradient simulated from it equals the "
        + "observed one to the stated relative error; nobody needed the original to know this."
    case .structural:
      "The conditions of a cited theorem hold for this network, so whoever sees a gradient of it "
        + "can use the attack; no gradient was needed to say so."
    case .empirical:
      "An estimate with a stated error: strong enough to act on, short of a proof."
    case .inconclusive:
      "Something prevented a judgement. Do not read these as safe."
    }
  }

  private static func entry(_ finding: Finding) -> [String] {
    let layer = finding.layer.map { " · " + Escaped.markdownCode($0) } ?? ""
    let identifier = Escaped.markdownText(finding.id, limit: Escaped.nameLimit)
    var lines = [
      "", "### \(finding.severity.rawValue.uppercased()) · \(identifier)\(layer)", "",
      Escaped.markdownText(finding.message),
    ]
    if !finding.artifact.isEmpty {
      lines += ["", "File: " + Escaped.markdownCode(finding.artifact)]
    }
    if let formula = finding.formula {
      lines += ["", "Relation: " + Escaped.markdownCode(formula, limit: Escaped.textLimit)]
    }
    if !finding.measurements.isEmpty {
      var table = MarkdownTable([.init("Measured"), .init("Value")])
      for measurement in finding.measurements {
        table.add([Escaped.cell(text: measurement.name), Escaped.cell(text: measurement.value)])
      }
      lines += [""] + table.lines
    }
    lines += list(
      "Holds under these conditions:", finding.preconditions.map { Escaped.markdownText($0) })
    lines += ["", "**Fix:** " + Escaped.markdownText(finding.remedy)]
    if let effect = finding.remedyEffect {
      lines += ["", "**Expected effect:** " + Escaped.markdownText(effect)]
    }
    return lines + list("Sources:", finding.citations.map(source))
  }

  private static func list(_ heading: String, _ items: [String]) -> [String] {
    items.isEmpty ? [] : ["", heading, ""] + items.map { "- \($0)" }
  }

  private static func source(_ citation: Citation) -> String {
    let parts = [citation.authors, "“\(citation.title)”", citation.venue, citation.locator]
    return parts.filter { !$0.isEmpty }.map { Escaped.markdownText($0) }.joined(separator: ", ")
  }
}
