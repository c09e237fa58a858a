internal import AuditModel

/// Which files were read by which command, so that the audit can be repeated.
enum MarkdownProvenance {
  static func lines(_ report: AuditReport) -> [String] {
    var lines = ["## Provenance", ""]
    if report.inputs.isEmpty {
      lines.append("No file was read.")
    } else {
      var table = MarkdownTable([
        .init("File"), .init("Role"), .init("Format"), .init("Size", isNumeric: true),
        .init("SHA-256"),
      ])
      for input in report.inputs {
        table.add([
          Escaped.cell(name: input.path), Escaped.cell(text: input.role),
          Escaped.cell(text: input.format), DisplayedNumber.counted(input.byteCount, "byte"),
          input.sha256.map { Escaped.cell(name: $0) } ?? "could not be read",
        ])
      }
      lines += table.lines
    }
    let command = report.command.map(quoted).joined(separator: " ")
    return lines + [
      "",
      "- Command: " + Escaped.markdownCode(command, limit: Escaped.textLimit),
      "- Version: leakaudit " + Escaped.markdownText(report.toolVersion),
      "- Report schema: " + Escaped.markdownText(report.schemaVersion),
    ]
  }

  /// An argument as a shell would need it, with quotes only where it has other than plain letters.
  private static func quoted(_ argument: String) -> String {
    let isPlain =
      !argument.isEmpty
      && argument.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
          || "-_./=:,+@%".unicodeScalars.contains($0)
      }
    return isPlain
      ? argument
      : "'"
        + argument.split(
          separator: "'", omittingEmptySubsequences: false
        ).joined(separator: "'\\''") + "'"
  }
}
