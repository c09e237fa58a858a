extension Escaped {
  /// Returns `text` as Markdown prose that renders as itself, in a paragraph or a table cell.
  ///
  /// Punctuation that Markdown obeys is escaped. Links, mentions, issue numbers and formulas are found by
  /// GitHub in the rendered text, where a backslash no longer counts: a word that holds one becomes a code span, which
  /// GitHub leaves alone. Runs of blanks become one blank.
  package static func markdownText(
    _ text: String, inTable: Bool = false, limit: Int = textLimit
  ) -> String {
    let words = VisibleText.of(text, limit: limit).split { $0.isWhitespace }
    guard !words.isEmpty else { return "(empty)" }
    return words.enumerated().map { index, word in
      isLive(word) ? quoted(word, inTable: inTable) : escaped(word, startsLine: index == 0)
    }.joined(separator: " ")
  }

  /// Returns `text` as a Markdown code span: a name stays readable and nothing in it is obeyed.
  ///
  /// In a table cell, which `inTable` claims, `|` gets a backslash.
  package static func markdownCode(
    _ text: String, inTable: Bool = false, limit: Int = nameLimit
  ) -> String {
    codeSpan(VisibleText.of(text, limit: limit), inTable: inTable)
  }

  private static func codeSpan(_ shown: String, inTable: Bool) -> String {
    guard !shown.isEmpty else { return "(empty)" }
    var content = ""
    var (run, longestRun) = (0, 0)
    for character in withoutLogCommands(shown).unicodeScalars {
      run = character == "`" ? run + 1 : 0
      longestRun = max(longestRun, run)
      if character == "|", inTable {
        // Parsers disagree about a backslash before an escaped pipe; none sees a pipe here.
        content += content.hasSuffix("\\") ? VisibleText.notation("|") : "\\|"
      } else {
        content.unicodeScalars.append(character)
      }
    }
    let fence = String(repeating: "`", count: longestRun + 1)
    let padding = content.hasPrefix("`") || content.hasSuffix("`") ? " " : ""
    return fence + padding + content + padding + fence
  }

  /// Whether GitHub would turn a part of `word` into a link, a mention or a formula.
  private static func isLive(_ word: Substring) -> Bool {
    let word = word.lowercased()
    if ["://", "www.", "mailto:", "xmpp:", "@", "$"].contains(where: word.contains) { return true }
    // `#12`, `owner/name#12` and `GH-12` are issue numbers; `high-12` is a word.
    return word.contains(/#[0-9]/) || word.contains(/(^|[^a-z0-9])gh-[0-9]/)
  }

  /// A code span around `word`, with the punctuation of the sentence left outside.
  private static func quoted(_ word: Substring, inTable: Bool) -> String {
    let opening = word.prefix { "(\"'“".contains($0) }
    let rest = word.dropFirst(opening.count)
    let closes = opening.contains("(") ? ".,;:?\"'”)" : ".,;:?\"'”"
    let closing = rest.reversed().prefix { closes.contains($0) }
    let core = String(rest.dropLast(closing.count))
    return opening + codeSpan(core, inTable: inTable) + String(closing.reversed())
  }

  private static func escaped(_ word: Substring, startsLine: Bool) -> String {
    let scalars = Array(word.unicodeScalars)
    var result = ""
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "`", "*", "[", "]", "#", "!", "~", "|":
        result += "\\\(scalar)"
      case "_":
        // Inside a word the underscore of `dense_1` is never emphasis.
        let isInside =
          index > 0 && isAlphanumeric(scalars[index - 1])
          && index + 1 < scalars.count && isAlphanumeric(scalars[index + 1])
        result += isInside ? "_" : "\\_"
      case "-", "+", "=", ":":
        result += startsLine && index == 0 ? "\\\(scalar)" : "\(scalar)"
      case ".", ")":
        let isListMarker =
          startsLine && index > 0 && index + 1 == scalars.count
          && scalars[..<index].allSatisfy(isDigit)
        result += isListMarker ? "\\\(scalar)" : "\(scalar)"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    isDigit(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
}
