/// An element of an XML document whose text depends on its content alone.
struct XMLElement {
  var name: String
  /// In writing order; values are escaped here.
  var attributes: [(name: String, value: String)] = []
  var children: [XMLElement] = []
  /// Lines of text; an element has either these or children.
  var lines: [String] = []

  /// The document, with two blanks per level.
  var document: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + text(indentation: "") }

  private func text(indentation: String) -> String {
    let head = attributes.reduce(indentation + "<" + name) { text, attribute in
      text + " \(attribute.name)=\"\(Escaped.html(attribute.value))\""
    }
    if !children.isEmpty {
      return head + ">\n" + children.map { $0.text(indentation: indentation + "  ") }.joined()
        + indentation + "</\(name)>\n"
    }
    guard !lines.isEmpty else { return head + "/>\n" }
    return head + ">" + lines.map { Escaped.html($0) }.joined(separator: "\n") + "</\(name)>\n"
  }
}
