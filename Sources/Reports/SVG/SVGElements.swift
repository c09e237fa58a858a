/// Shapes and texts of an SVG picture; colours are those of a light background, and a style sheet
/// replaces them where the reader prefers a dark one.
enum SVG {
  /// Colours of lines on a light and on a dark card, apart for most eyes.
  ///
  /// - Source: after Okabe & Ito, *Color Universal Design*, 2008, with more contrast.
  private static let colors = [
    (light: "#0072b2", dark: "#56b4e9"), (light: "#c24e00", dark: "#ff9a4d"),
    (light: "#00795a", dark: "#3fcfa0"), (light: "#a0448c", dark: "#e693c4"),
    (light: "#7a6a00", dark: "#e0c94f"), (light: "#4d4d4d", dark: "#cccccc"),
  ]
  private static let dashes = ["none", "8 4", "2 4", "10 4 2 4"]

  static let style = XMLElement(
    name: "style",
    lines: [
      "", "text { font-family: system-ui, sans-serif }",
      "@media (prefers-color-scheme: dark) {",
      "  .card { fill: #161a1f; stroke: #3a424c }",
      "  .grid { stroke: #2b323a } .axis { stroke: #8b949e }",
      "  .head, .text { fill: #e6edf3 } .small { fill: #a5afba }",
    ]
      + colors.enumerated().map { index, color in
        "  .line-\(index) { stroke: \(color.dark) } .dot-\(index) { fill: \(color.dark); "
          + "stroke: \(color.dark) }"
      } + ["  .open { fill: #161a1f }", "}", ""])

  /// The whole picture.
  static func document(
    width: Double, height: Double, title: String, description: String, _ elements: [XMLElement]
  ) -> String {
    XMLElement(
      name: "svg",
      attributes: [
        ("xmlns", "http://www.w3.org/2000/svg"), ("width", number(width)),
        ("height", number(height)), ("viewBox", "0 0 \(number(width)) \(number(height))"),
        ("role", "img"), ("font-family", "system-ui, sans-serif"),
      ],
      children: [
        XMLElement(name: "title", lines: [title]), XMLElement(name: "desc", lines: [description]),
        style,
        XMLElement(
          name: "rect",
          attributes: [
            ("class", "card"), ("x", "0.5"), ("y", "0.5"), ("width", number(width - 1)),
            ("height", number(height - 1)), ("rx", "8"), ("fill", "#ffffff"),
            ("stroke", "#d0d7de"),
          ]),
      ] + elements
    ).document
  }

  static func text(
    _ text: String, _ x: Double, _ y: Double, _ kind: String, anchor: String = "start"
  ) -> XMLElement {
    XMLElement(name: "text", attributes: textAttributes(x, y, kind, anchor), lines: [text])
  }

  /// A text from the bottom to the top, centred.
  static func turnedText(_ text: String, _ x: Double, _ y: Double, _ kind: String) -> XMLElement {
    XMLElement(
      name: "text",
      attributes: textAttributes(x, y, kind, "middle")
        + [("transform", "rotate(-90 \(number(x)) \(number(y)))")], lines: [text])
  }

  static func line(
    _ from: (Double, Double), _ to: (Double, Double), _ kind: String
  ) -> XMLElement {
    XMLElement(
      name: "line",
      attributes: [
        ("class", kind), ("x1", number(from.0)), ("y1", number(from.1)), ("x2", number(to.0)),
        ("y2", number(to.1)), ("stroke", kind == "grid" ? "#e4e8ec" : "#6e7781"),
      ])
  }

  static func polyline(_ points: [(Double, Double)], _ index: Int) -> XMLElement {
    let places = points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    return XMLElement(
      name: "polyline",
      attributes: [
        ("class", "line-\(index % colors.count)"), ("points", places), ("fill", "none"),
        ("stroke", colors[index % colors.count].light), ("stroke-width", "2"),
        ("stroke-linejoin", "round"), ("stroke-dasharray", dashes[index % dashes.count]),
      ])
  }

  static func dot(
    _ place: (Double, Double), radius: Double, _ index: Int, isFilled: Bool = true
  ) -> XMLElement {
    let color = colors[index % colors.count].light
    return XMLElement(
      name: "circle",
      attributes: [
        ("class", "dot-\(index % colors.count)" + (isFilled ? "" : " open")),
        ("cx", number(place.0)), ("cy", number(place.1)), ("r", number(radius)),
        ("fill", isFilled ? color : "#ffffff"), ("stroke", color),
      ])
  }

  private static func textAttributes(
    _ x: Double, _ y: Double, _ kind: String, _ anchor: String
  ) -> [(name: String, value: String)] {
    let size = ["head": "16", "text": "13"][kind] ?? "12"
    return [
      ("class", kind), ("x", number(x)), ("y", number(y)), ("font-size", size),
      ("fill", kind == "small" ? "#57606a" : "#1f2328"), ("text-anchor", anchor),
    ] + (kind == "head" ? [("font-weight", "600")] : [])
  }

  /// A coordinate in tenths, so that the last digit of a logarithm does not show.
  static func number(_ value: Double) -> String {
    let tenths = Int((max(value, 0) * 10).rounded())
    return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
