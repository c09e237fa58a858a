import Foundation
import Reports
import Testing

@Suite("Report catalogue")
struct ReportCatalogTests {
  @Test("every file in Formats/ is registered")
  func everyFileIsRegistered() throws {
    let folder = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Reports/Formats")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .map { $0.replacingOccurrences(of: ".swift", with: "") }
    #expect(files.sorted() == ReportCatalog.all.map { String(describing: $0) }.sorted())
  }

  @Test("names are sorted, different and looked up exactly")
  func names() {
    #expect(ReportCatalog.names == Set(ReportCatalog.names).sorted())
    #expect(ReportCatalog.format(named: "md") is MarkdownReport.Type)
    #expect(ReportCatalog.format(named: "json") is JSONReport.Type)
    #expect(ReportCatalog.format(named: "MD") == nil)
    #expect(ReportCatalog.all.allSatisfy { !$0.summary.isEmpty })
  }
}
