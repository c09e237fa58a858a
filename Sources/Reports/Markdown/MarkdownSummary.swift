internal import AuditModel

/// The first screen: the verdict, what an attacker gets, and how many findings of which kind.
enum MarkdownSummary {
  static func lines(_ report: AuditReport) -> [String] {
    var lines = ["# Leakage report", "", "**\(Escaped.markdownText(report.verdict))**", ""]
    lines += [
      exitCode(report.exitCode), "",
      "\(PolicyText.suppressed(report.policy)) \(PolicyText.sensitivity(report.policy))", "",
      "## What an attacker gets", "",
    ]
    if report.attackerGets.isEmpty {
      lines.append(
        "Nothing that this audit could show. That is no proof of privacy: read "
          + "*Not looked at* and *Scope and limits*.")
    }
    lines += report.attackerGets.map { "- \(Escaped.markdownText($0))" }
    return lines + counts(report.findings)
  }

  /// What the exit code tells a build, in one line.
  private static func exitCode(_ code: Int) -> String {
    let meaning =
      switch code {
      case 0: "everything was audited, and no finding reached the severity that fails a build"
      case 1: "at least one finding reached the severity that fails a build"
      case 2: "an input was unreadable or only partly audited; do not read this as safe"
      case 3: "nothing auditable was found; do not read this as safe"
      default: "the audit could not be completed"
      }
    return "Exit code \(code): \(meaning)."
  }

  private static func counts(_ findings: [Finding]) -> [String] {
    guard !findings.isEmpty else { return [] }
    let severities = Severity.allCases.sorted(by: >)
    var table = MarkdownTable(
      [.init("Evidence")] + severities.map { .init($0.rawValue.capitalizedWord, isNumeric: true) }
        + [.init("Total", isNumeric: true)])
    for evidence in Evidence.allCases {
      let group = findings.filter { $0.evidence == evidence }
      table.add(
        [evidence.rawValue.capitalizedWord]
          + severities.map { severity in
            String(group.count { $0.severity == severity })
          } + [String(group.count)])
    }
    return ["", "## Findings by evidence and severity", ""] + table.lines
  }
}

extension String {
  /// The word with an upper-case first letter.
  var capitalizedWord: String { prefix(1).uppercased() + dropFirst() }
}
