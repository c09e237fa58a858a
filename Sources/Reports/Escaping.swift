/// Untrusted text made harmless, one function per place it can end up in.
///
/// Layer names, paths and every message that quotes them come from a file that somebody else
/// wrote. Nothing of it may become a link, a mention, a table cell, a heading, a tag, a terminal
/// command or a command to a build server. All functions return one line.
package enum Escaped {
  /// The longest name shown, in Unicode scalars; `…` replaces the rest.
  package static let nameLimit = 200
  /// The longest sentence shown, in Unicode scalars; `…` replaces the rest.
  package static let textLimit = 4_000

  /// Returns `text` for HTML, as an element's content or inside a quoted attribute.
  package static func html(_ text: String, limit: Int = textLimit) -> String {
    var result = ""
    for character in VisibleText.of(text, limit: limit).unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// Returns `text` for a terminal or a build log.
  ///
  /// Control sequences become visible. A build server obeys lines that start with `::` after blanks
  /// and, in the older form, `##[` or `##vso[` anywhere; one character of each is shown by number.
  package static func terminal(_ text: String, limit: Int = textLimit) -> String {
    let shown = withoutLogCommands(VisibleText.of(text, limit: limit))
    let blanks = shown.prefix { $0.isWhitespace }
    guard shown.dropFirst(blanks.count).hasPrefix("::") else { return shown }
    return blanks + VisibleText.notation(":") + shown.dropFirst(blanks.count + 1)
  }

  /// Returns `text` for the message of a GitHub workflow command, as in `::error::message`.
  ///
  /// Line breaks are visible instead of `%0A`, so a name cannot fake a second line of an annotation.
  package static func workflowMessage(_ text: String, limit: Int = textLimit) -> String {
    var result = ""
    for character in withoutLogCommands(VisibleText.of(text, limit: limit)).unicodeScalars {
      result += character == "%" ? "%25" : String(character)
    }
    return result
  }

  /// Returns `text` for a property of a GitHub workflow command, as in `::error file=text::`.
  package static func workflowProperty(_ text: String, limit: Int = nameLimit) -> String {
    var result = ""
    for character in workflowMessage(text, limit: limit).unicodeScalars {
      switch character {
      case ":": result += "%3A"
      case ",": result += "%2C"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// Breaks the commands that a build server finds anywhere in a line.
  static func withoutLogCommands(_ text: String) -> String {
    guard text.contains("##") else { return text }
    let characters = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    for (index, character) in characters.enumerated() {
      if character == "#", index > 0, characters[index - 1] == "#" {
        result.append(contentsOf: VisibleText.notation("#").unicodeScalars)
      } else {
        result.append(character)
      }
    }
    return String(result)
  }
}
