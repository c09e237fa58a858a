internal import AuditModel

extension Escaped {
  /// Returns `text` for a plain message of SARIF.
  ///
  /// Braces would be placeholders and brackets links (SARIF 2.1.0, 3.11.5 and 3.11.6).
  static func sarif(_ text: String, limit: Int = textLimit) -> String {
    var result = ""
    for character in VisibleText.of(text, limit: limit).unicodeScalars {
      switch character {
      case "{": result += "{{"
      case "}": result += "}}"
      case "[", "]", "\\": result += "\\\(character)"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// Returns a path as a relative reference (RFC 3986): everything but letters, digits, `-._~` and
  /// `/` is percent-encoded, so that no name becomes a scheme, a query or another host.
  static func relativeReference(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    // Two slashes at the start would name a host.
    let start = result.prefix { $0 == "/" }
    return start.isEmpty ? result : String(result.dropFirst(start.count))
  }
}

/// Parts that occur all over a SARIF log.
enum SARIFPart {
  static func message(_ text: String) -> JSONValue {
    .object(["text": .string(Escaped.sarif(text))])
  }

  /// How much a severity matters to a reader of SARIF.
  static func level(_ severity: Severity) -> String {
    switch severity {
    case .critical, .high: "error"
    case .medium: "warning"
    case .low, .info: "note"
    }
  }
}
