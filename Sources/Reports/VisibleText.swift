/// The first step of every escape: what a reader cannot see becomes something they can.
///
/// A name from a file may hide a line break, a terminal command, a reversal of the writing
/// direction or an invisible character that makes two names look alike. Each such character is
/// shown as `\u{202E}`, in the notation of a Swift string. The form is for eyes, not for parsing: a name
/// that spells `\u{202E}` in plain letters looks the same. The JSON report tells them apart.
enum VisibleText {
  /// How many stacked marks one letter may carry: more would paint over neighbouring lines.
  private static let longestMarkRun = 4

  /// Returns `text` on one line, without characters that hide, reorder or command.
  ///
  /// At most `limit` Unicode scalars of it are shown; `…` replaces the rest.
  static func of(_ text: String, limit: Int) -> String {
    var shown = String.UnicodeScalarView()
    var marks = 0
    for (index, scalar) in text.unicodeScalars.enumerated() {
      guard index < limit else {
        shown.append("…")
        break
      }
      marks = isMark(scalar) ? marks + 1 : 0
      if isHidden(scalar) || marks > longestMarkRun {
        shown.append(contentsOf: notation(scalar).unicodeScalars)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// Whether `scalar` is a control, a direction mark, invisible, a line break or without a meaning.
  ///
  /// The Unicode categories cover C0, C1 and DEL, U+202A–202E, U+2066–2069, U+200B–200F, U+061C,
  /// U+2028, U+2029, U+FEFF and the tag characters; the property adds fillers and variation selectors.
  static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    guard !(0x20..<0x7F).contains(scalar.value) else { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      true
    default:
      scalar.properties.isDefaultIgnorableCodePoint || scalar == "\u{2800}"
    }
  }

  /// The notation of `scalar` with at least two hexadecimal digits.
  static func notation(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "\\u{" + (digits.count < 2 ? "0" : "") + digits + "}"
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: true
    default: false
    }
  }
}
