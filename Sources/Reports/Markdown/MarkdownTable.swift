/// A Markdown table whose cells are escaped by whoever makes them.
struct MarkdownTable {
  /// A column's heading and the side its cells stand on.
  struct Column {
    let heading: String
    var isNumeric = false

    init(_ heading: String, isNumeric: Bool = false) {
      self.heading = heading
      self.isNumeric = isNumeric
    }
  }

  var columns: [Column]
  var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  /// Adds one row.
  ///
  /// - Precondition: `cells` has one entry per column.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row needs one cell per column")
    rows.append(cells.map { $0.isEmpty ? "–" : $0 })
  }

  /// The table without the columns that `isKept` rejects.
  func keeping(_ isKept: (Column) -> Bool) -> MarkdownTable {
    let kept = columns.indices.filter { isKept(columns[$0]) }
    var table = MarkdownTable(kept.map { columns[$0] })
    table.rows = rows.map { row in kept.map { row[$0] } }
    return table
  }

  var lines: [String] {
    [line(columns.map(\.heading)), line(columns.map { $0.isNumeric ? "--:" : "---" })]
      + rows.map(line)
  }

  private func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

extension Escaped {
  /// A name in a table cell; an absent one is a dash.
  static func cell(name: String) -> String {
    name.isEmpty ? "–" : markdownCode(name, inTable: true)
  }

  /// A sentence in a table cell; an absent one is a dash.
  static func cell(text: String) -> String {
    text.isEmpty ? "–" : markdownText(text, inTable: true)
  }
}
