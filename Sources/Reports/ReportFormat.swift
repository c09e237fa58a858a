package import AuditModel

/// A way to write a report down.
///
/// One conformance per file in `Formats/`, and one line in ``ReportCatalog``.
package protocol ReportFormat: Sendable {
  /// The value of `--format`.
  static var name: String { get }
  /// For whom the format is, in one line of help.
  static var summary: String { get }

  init()

  /// Renders deterministically: equal reports give equal bytes, and the last one is a line break.
  func render(_ report: AuditReport) -> String
}
