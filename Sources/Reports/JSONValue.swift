internal import AuditModel

/// A JSON document whose text depends on its content alone.
///
/// Keys are sorted, numbers have six significant digits (a mathematical library
/// may round its last one differently on another processor), a number that
/// JSON cannot express is `null`. Characters that hide, reorder or command are written as `\uXXXX`,
/// so the text is safe to print and every string still reads back unchanged.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// The document with two blanks per level and a line break at the end.
  var text: String {
    var result = ""
    write(to: &result, indentation: "")
    return result + "\n"
  }

  private func write(to result: inout String, indentation: String) {
    switch self {
    case .null: result += "null"
    case .bool(let value): result += value ? "true" : "false"
    case .integer(let value): result += String(value)
    case .number(let value):
      result += value.isFinite ? value.rounded(digits: 6).description : "null"
    case .string(let value): result += Self.quoted(value)
    case .array(let elements): Self.write(elements, to: &result, indentation: indentation)
    case .object(let members) where members.isEmpty: result += "{}"
    case .object(let members):
      let inner = indentation + "  "
      var separator = "{\n"
      for (key, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
      {
        result += separator + inner + Self.quoted(key) + ": "
        value.write(to: &result, indentation: inner)
        separator = ",\n"
      }
      result += "\n" + indentation + "}"
    }
  }

  /// Writes numbers side by side and everything else below each other.
  private static func write(
    _ elements: [JSONValue], to result: inout String, indentation: String
  ) {
    let isFlat = elements.allSatisfy { $0.isNumeric }
    let inner = indentation + "  "
    result += "["
    for (index, element) in elements.enumerated() {
      if index > 0 { result += isFlat ? ", " : "," }
      if !isFlat { result += "\n" + inner }
      element.write(to: &result, indentation: inner)
    }
    result += isFlat ? "]" : "\n" + indentation + "]"
  }

  private var isNumeric: Bool {
    switch self {
    case .integer, .number: true
    case .null, .bool, .string, .array, .object: false
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      // Some build servers obey `##[command]` anywhere in a line of their log.
      case "#" where previous == "#": result += "\\u0023"
      case _ where VisibleText.isHidden(scalar):
        for unit in String(scalar).utf16 { result += hexadecimal(unit) }
      default: result.unicodeScalars.append(scalar)
      }
      previous = scalar
    }
    return result + "\""
  }

  private static func hexadecimal(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16, uppercase: true)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension JSONValue {
  /// The text, or `null` without one.
  init(_ text: String?) { self = text.map { .string($0) } ?? .null }

  /// The number, or `null` without one.
  init(_ number: Int?) { self = number.map { .integer($0) } ?? .null }

  /// The number, or `null` without one.
  init(_ number: Double?) { self = number.map { .number($0) } ?? .null }

  /// The numbers in their order, or `null` without any list.
  init(_ numbers: [Double]?) { self = numbers.map { .array($0.map { .number($0) }) } ?? .null }

  /// The number with `digits` significant digits, or `null` without one.
  ///
  /// For values with amplified rounding errors, whose further digits depend on the processor.
  init(_ number: Double?, digits: Int) {
    self.init(number.map { $0.isFinite ? $0.rounded(digits: digits) : $0 })
  }

  /// The texts in their order.
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}

extension Double {
  /// The number rounded to `digits` significant digits; its description is its shortest form.
  fileprivate func rounded(digits: Int) -> Double {
    let text = DisplayedNumber.significant(magnitude, digits: digits)
    return Double(text).map { self < 0 ? -$0 : $0 } ?? self
  }
}
