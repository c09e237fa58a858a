package import AuditModel

/// One line for each finding, for a terminal, a log or `grep`.
///
/// Form: `file: severity: message [rule, evidence, layer 'name']`. Lines about notices and inputs that
/// were not looked at follow, and the last line counts.
package struct TextReport: ReportFormat {
  package static let name = "text"
  package static let summary = "one line per finding, for terminals and logs"

  package init() {}

  package func render(_ report: AuditReport) -> String {
    var lines = report.ordered.map(line)
    lines += report.policy.notices.map { notice in
      let level = notice.kind == .expired ? "warning" : "note"
      return "\(notice.place): \(level): \(notice.text) [\(notice.kind.rawValue) suppression]"
    }
    lines += report.skipped.map { skipped in
      skipped.isUnreadableInput
        ? "\(skipped.artifact): unreadable: \(skipped.why)"
        : "\(skipped.artifact): not looked at: \(skipped.what): \(skipped.why)"
    }
    lines.append(
      "leakaudit: exit code \(report.exitCode): \(PolicyText.counting(report.findings)) "
        + PolicyText.suppressed(report.policy))
    return lines.map { Escaped.terminal($0) + "\n" }.joined()
  }

  private func line(_ finding: Finding) -> String {
    let layer = finding.layer.map { ", layer '\($0)'" } ?? ""
    return "\(finding.artifact): \(finding.severity.rawValue): \(finding.message) "
      + "[\(finding.id), \(finding.evidence.rawValue)\(layer)]"
  }
}
