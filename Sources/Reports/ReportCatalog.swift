/// Every report format, sorted by name.
///
/// `ReportCatalogTests` fails if a file in `Formats/` is missing here.
package enum ReportCatalog {
  package static let all: [any ReportFormat.Type] = [
    GitHubAnnotations.self,
    JSONReport.self,
    JUnitReport.self,
    MarkdownReport.self,
    SARIFReport.self,
    JobSummary.self,
    SVGPlot.self,
    TextReport.self,
  ]

  /// The names that ``format(named:)`` accepts, sorted.
  package static var names: [String] { all.map { $0.name } }

  /// The format called `name`, or `nil` if there is none.
  package static func format(named name: String) -> (any ReportFormat.Type)? {
    all.first { $0.name == name }
  }
}
