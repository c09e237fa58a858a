package import AuditModel

/// Workflow commands that GitHub shows beside the files of a pull request.
///
/// GitHub keeps ten annotations of each level for a step and drops the rest without a word; here the
/// tenth says how many there are. The last line is a notice with the verdict.
package struct GitHubAnnotations: ReportFormat {
  package static let name = "github"
  package static let summary = "annotations of a pull request on GitHub"

  /// The annotations of one level that GitHub keeps for a step.
  private static let limit = 10

  private enum Level: String, CaseIterable { case error, warning, notice }

  private struct Annotation {
    var level: Level
    var file: String
    var line = 1
    var title: String
    var message: String
  }

  package init() {}

  package func render(_ report: AuditReport) -> String {
    var annotations = report.skipped.filter(\.isUnreadableInput).map { skipped in
      Annotation(
        level: .error, file: skipped.artifact, title: "leakaudit: unreadable",
        message: skipped.why)
    }
    annotations += report.findings.sorted(by: Self.severestFirst).map { finding in
      Annotation(
        level: report.fails(finding) ? .error : finding.severity >= .medium ? .warning : .notice,
        file: finding.artifact,
        title: "leakaudit: \(finding.severity.rawValue): \(finding.id)",
        message: finding.message + (finding.layer.map { " (layer '\($0)')" } ?? ""))
    }
    annotations += report.policy.notices.filter { $0.kind == .expired }.map { notice in
      Annotation(
        level: .warning, file: notice.file, line: notice.line,
        title: "leakaudit: expired suppression", message: notice.text)
    }
    let lines = Level.allCases.flatMap { level in
      shown(annotations.filter { $0.level == level }, level: level)
    }
    let verdict =
      "\(report.verdict) Exit code \(report.exitCode). \(PolicyText.counting(report.findings)) "
      + PolicyText.suppressed(report.policy)
    return (lines + ["::notice title=leakaudit::\(Escaped.workflowMessage(verdict))"])
      .map { $0 + "\n" }.joined()
  }

  /// As many of `annotations` as GitHub keeps; the verdict is a notice too.
  private func shown(_ annotations: [Annotation], level: Level) -> [String] {
    let limit = level == .notice ? Self.limit - 1 : Self.limit
    guard annotations.count > limit else { return annotations.map(command) }
    let rest = annotations.count - (limit - 1)
    return annotations.prefix(limit - 1).map(command) + [
      "::\(level.rawValue) title=leakaudit::\(DisplayedNumber.grouped(rest)) more of this level are "
        + "in the report; GitHub shows ten of each."
    ]
  }

  private func command(_ annotation: Annotation) -> String {
    "::\(annotation.level.rawValue) file=\(Escaped.workflowProperty(annotation.file)),"
      + "line=\(annotation.line),title=\(Escaped.workflowProperty(annotation.title))::"
      + Escaped.workflowMessage(annotation.message)
  }

  private static func severestFirst(_ lhs: Finding, _ rhs: Finding) -> Bool {
    lhs.severity != rhs.severity
      ? lhs.severity > rhs.severity : Finding.reportOrder(lhs, rhs)
  }
}
