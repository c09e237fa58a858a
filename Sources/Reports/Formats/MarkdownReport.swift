package import AuditModel

/// The report for people: a file to read, or a comment on a pull request.
///
/// Sections stand in the order in which a reader asks: what happened, what an attacker gets, why, how
/// sure, what was not looked at. Everything that came from a file passes through ``Escaped``.
package struct MarkdownReport: ReportFormat {
  package static let name = "md"
  package static let summary = "Markdown for people and pull requests"

  package init() {}

  package func render(_ report: AuditReport) -> String {
    let sections = [
      MarkdownSummary.lines(report),
      MarkdownFindings.lines(report.findings),
      MarkdownPolicy.lines(report.policy),
      MarkdownRecoveries.lines(report.recoveries),
      MarkdownChains.lines(report.chains),
      MarkdownInversions.lines(report.inversions),
      MarkdownLabels.lines(report.labels),
      MarkdownLayers.lines(report.layers),
      MarkdownCoverage.preflight(report.preflight),
      MarkdownCoverage.nothingFound(report.layers),
      MarkdownCoverage.notLookedAt(report.skipped, layers: report.layers),
      MarkdownCoverage.scope,
      MarkdownProvenance.lines(report),
    ]
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n") + "\n"
  }
}
