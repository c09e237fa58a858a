/// Reads one line of the text form from left to right.
struct LineScanner {
  let line: Int
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: Substring.UTF8View, line: Int) {
    self.line = line
    bytes = Array(text)
  }

  /// Whether nothing but spaces is left.
  var isAtEnd: Bool {
    mutating get {
      skipSpaces()
      return position == bytes.count
    }
  }

  func error(_ found: String, needed: String, suggestion: String? = nil) -> ParseError {
    // A stranger's shape or list may be as long as the file.
    ParseError(
      line: line, found: String(found.prefix(300)), needed: String(needed.prefix(300)),
      suggestion: suggestion)
  }

  /// An error about what stands at the present place.
  func error(needed: String, suggestion: String? = nil) -> ParseError {
    error(found, needed: needed, suggestion: suggestion)
  }

  /// What stands at the present place, for a message.
  private var found: String {
    let rest = bytes[position...].drop(while: Self.isSpace)
    if rest.isEmpty { return "the end of the line" }
    return "'\(String(decoding: rest.prefix { !Self.isSpace($0) }.prefix(40), as: UTF8.self))'"
  }

  /// Reads `symbol` if it comes next.
  mutating func take(_ symbol: String) -> Bool {
    skipSpaces()
    guard bytes[position...].starts(with: symbol.utf8) else { return false }
    position += symbol.utf8.count
    return true
  }

  mutating func expect(_ symbol: String) throws(ParseError) {
    guard take(symbol) else { throw error(needed: "'\(symbol)'") }
  }

  /// Reads a run of letters, digits and what numbers are written with; empty if there is none.
  mutating func word() -> String {
    skipSpaces()
    let word = bytes[position...].prefix { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    position += word.count
    return String(decoding: word, as: UTF8.self)
  }

  mutating func expect(word needed: String) throws(ParseError) {
    let start = self
    guard word() == needed else { throw start.error(needed: "'\(needed)'") }
  }

  mutating func integer() throws(ParseError) -> Int {
    let start = self
    guard let number = Int(word()) else { throw start.error(needed: "a whole number") }
    return number
  }

  mutating func number() throws(ParseError) -> Double {
    let start = self
    let word = word()
    // "1e999" would read as infinity, which has a spelling of its own.
    guard let number = Double(word), number.isFinite || !word.contains(where: \.isNumber) else {
      throw start.error(needed: "a number")
    }
    return number
  }

  /// Reads `[…, …]`.
  mutating func list<Element>(
    _ element: (inout LineScanner) throws(ParseError) -> Element
  ) throws(ParseError) -> [Element] {
    try expect("[")
    if take("]") { return [] }
    var elements = [try element(&self)]
    while take(",") { elements.append(try element(&self)) }
    try expect("]")
    return elements
  }

  /// Reads a string between quotation marks.
  mutating func string() throws(ParseError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escaped().utf8
      default: text.append(byte)
      }
    }
    throw error("the end of the line", needed: "'\"'")
  }

  private mutating func escaped() throws(ParseError) -> String {
    for literal in ["\"", "\\"] where bytes[position...].starts(with: literal.utf8) {
      position += 1
      return literal
    }
    guard bytes[position...].starts(with: "u{".utf8) else {
      throw error("'\\' before \(found)", needed: "'\\\"', '\\\\' or '\\u{…}'")
    }
    position += 2
    let digits = word()
    guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
      throw error("'\(digits.prefix(40))'", needed: "the number of a character")
    }
    try expect("}")
    return String(Character(scalar))
  }

  private mutating func skipSpaces() {
    while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
