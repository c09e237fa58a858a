internal import AuditModel

/// Findings that do not count, and suppressions that need attention; nothing if there are none.
enum MarkdownPolicy {
  static func lines(_ policy: PolicySummary) -> [String] {
    guard !policy.suppressed.isEmpty || !policy.notices.isEmpty else { return [] }
    var lines = ["## Suppressed findings", "", PolicyText.suppressed(policy)]
    if !policy.suppressed.isEmpty {
      var table = MarkdownTable([
        .init("Severity"), .init("Finding"), .init("File"), .init("Layer"), .init("Suppressed by"),
        .init("Through"), .init("Reason"),
      ])
      for item in policy.suppressed {
        table.add([
          item.finding.severity.rawValue, Escaped.cell(text: item.finding.id),
          Escaped.cell(name: item.finding.artifact), Escaped.cell(name: item.finding.layer ?? ""),
          item.origin.rawValue, item.expires?.description ?? "", Escaped.cell(text: item.reason),
        ])
      }
      lines += [""] + table.lines
    }
    guard !policy.notices.isEmpty else { return lines }
    return lines + [""]
      + policy.notices.map {
        "- \(Escaped.markdownCode($0.place)): \(Escaped.markdownText($0.text))."
      }
  }
}
