package import AuditModel

/// The page that a build server shows for a job, as Markdown.
///
/// GitHub refuses a summary of more than 1 MiB as a whole. This one ends before, and says how many
/// findings it leaves out.
package struct JobSummary: ReportFormat {
  package static let name = "summary"
  package static let summary = "a short Markdown page for $GITHUB_STEP_SUMMARY, under 1 MiB"

  /// The most bytes of a summary; the rest of a MiB is left to what a step writes beside it.
  package static let byteLimit = 1_000_000
  /// Room for what stands behind the table of findings.
  private static let reserve = 150_000
  /// The longest sentence of a cell, in Unicode scalars.
  private static let cellLimit = 400
  /// The most lines of each list below the findings.
  private static let listLimit = 40

  package init() {}

  package func render(_ report: AuditReport) -> String {
    var text = head(report)
    text += findings(report, room: Self.byteLimit - Self.reserve - text.utf8.count)
    text += section(
      "Suppressions to look at",
      report.policy.notices.lazy.map { "\(code($0.place)): \(prose($0.text))" })
    text += section(
      "Not looked at",
      report.skipped.lazy.map { "\(code($0.artifact)), \(prose($0.what)): \(prose($0.why))" })
    return text
  }

  private func head(_ report: AuditReport) -> String {
    """
    ## leakaudit: exit code \(report.exitCode)

    **\(prose(report.verdict))**

    - \(prose(PolicyText.counting(report.findings)))
    - \(prose(PolicyText.suppressed(report.policy)))
    - \(prose(PolicyText.sensitivity(report.policy)))
    - \(skipped(report.skipped.count))

    """
  }

  private func skipped(_ count: Int) -> String {
    count == 0
      ? "Nothing was skipped."
      : DisplayedNumber.counted(count, "part was", plural: "parts were")
        + " not looked at and may leak; the list is below."
  }

  /// The table of findings, as far as it fits into `room` bytes.
  private func findings(_ report: AuditReport, room: Int) -> String {
    guard !report.findings.isEmpty else { return "" }
    var table = MarkdownTable([
      .init("Severity"), .init("Evidence"), .init("Finding"), .init("File"), .init("Layer"),
      .init("What leaks"),
    ])
    var rows = 0
    var bytes = 0
    for finding in report.ordered {
      let cells = [
        finding.severity.rawValue, finding.evidence.rawValue, Escaped.cell(text: finding.id),
        Escaped.cell(name: finding.artifact), Escaped.cell(name: finding.layer ?? ""),
        Escaped.markdownText(finding.message, inTable: true, limit: Self.cellLimit),
      ]
      bytes += cells.reduce(4) { $0 + $1.utf8.count + 3 }
      guard bytes <= room else { break }
      table.add(cells)
      rows += 1
    }
    let rest = report.findings.count - rows
    let note =
      rest > 0
      ? "\n\(DisplayedNumber.counted(rest, "more finding is", plural: "more findings are")) left out, "
        + "since a summary may have 1 MiB; the JSON and SARIF reports list all.\n"
      : ""
    return "\n### Findings\n\n" + table.lines.joined(separator: "\n") + "\n" + note
  }

  private func section(_ title: String, _ items: some Collection<String>) -> String {
    guard !items.isEmpty else { return "" }
    let rest = items.count - Self.listLimit
    return "\n### \(title)\n\n" + items.prefix(Self.listLimit).map { "- \($0)\n" }.joined()
      + (rest > 0 ? "- and \(DisplayedNumber.grouped(rest)) more, which the reports list\n" : "")
  }

  private func code(_ name: String) -> String { Escaped.markdownCode(name) }

  private func prose(_ text: String) -> String {
    Escaped.markdownText(text, limit: Self.cellLimit)
  }
}
