internal import AuditModel
internal import Yams

/// One place in a YAML document, with errors that name its line.
struct SettingsDocument {
  let file: String
  let node: Node

  /// - Returns: `nil` if the text holds nothing but comments.
  /// - Throws: ``SettingsError`` if the text is no YAML.
  static func parse(_ text: String, file: String) throws(SettingsError) -> SettingsDocument? {
    do {
      guard let node = try compose(yaml: text) else { return nil }
      if case .scalar(let scalar) = node, scalar.string.isEmpty { return nil }
      return SettingsDocument(file: file, node: node)
    } catch let error as YamlError {
      throw SettingsError(error, file: file)
    } catch {
      throw SettingsError(file: file, line: nil, found: "it is no YAML", needed: "YAML is needed")
    }
  }

  var line: Int? { node.mark?.line }

  var isMapping: Bool { if case .mapping = node { true } else { false } }

  var isSequence: Bool { if case .sequence = node { true } else { false } }

  func error(_ found: String, needed: String, nearest: String? = nil) -> SettingsError {
    SettingsError(file: file, line: line, found: found, needed: needed, nearest: nearest)
  }

  /// The members of a mapping, in the order of the file.
  func members(
    of what: String
  ) throws(SettingsError) -> [(key: String, place: SettingsDocument, value: SettingsDocument)] {
    guard case .mapping(let mapping) = node else {
      throw error("\(what) is no mapping", needed: "lines of the form 'key: value' are needed")
    }
    var members: [(key: String, place: SettingsDocument, value: SettingsDocument)] = []
    for (key, value) in mapping {
      let place = SettingsDocument(file: file, node: key)
      members.append(
        (try place.text("a key"), place, SettingsDocument(file: file, node: value)))
    }
    return members
  }

  func elements(of what: String) throws(SettingsError) -> [SettingsDocument] {
    guard case .sequence(let sequence) = node else {
      throw error("\(what) is no list", needed: "lines that start with '- ' are needed")
    }
    return sequence.map { SettingsDocument(file: file, node: $0) }
  }

  /// A scalar as it is written, without surrounding blanks.
  ///
  /// - Throws: ``SettingsError`` if there is none, or nothing in it.
  func text(_ what: String) throws(SettingsError) -> String {
    guard case .scalar(let scalar) = node else {
      throw error("\(what) is a list or a mapping", needed: "one word or text is needed")
    }
    let words = scalar.string.split(whereSeparator: \.isWhitespace)
    guard !words.isEmpty else { throw error("\(what) is empty", needed: "a text is needed") }
    return words.joined(separator: " ")
  }

  /// One of the words of an enumeration.
  func word<Words: CaseIterable & RawRepresentable>(
    _ what: String, _ words: Words.Type
  ) throws(SettingsError) -> Words where Words.RawValue == String {
    let text = try text(what)
    guard let word = Words(rawValue: text) else {
      let all = words.allCases.map(\.rawValue)
      throw error(
        "\(what) is '\(text)'", needed: "one of \(all.joined(separator: ", ")) is needed",
        nearest: Spelling.nearest(to: text, among: all, limit: 3))
    }
    return word
  }

  /// `on` or `off`, in the words of YAML.
  func flag(_ what: String) throws(SettingsError) -> Bool {
    let text = try text(what)
    switch text.lowercased() {
    case "on", "true", "yes": return true
    case "off", "false", "no": return false
    default:
      throw error(
        "\(what) is '\(text)'", needed: "on or off is needed",
        nearest: Spelling.nearest(to: text, among: ["on", "off"], limit: 2))
    }
  }

  /// A whole number in decimal digits.
  func integer<Number: FixedWidthInteger>(
    _ what: String, _ range: ClosedRange<Number>
  ) throws(SettingsError) -> Number {
    let text = try text(what)
    guard let number = Number(text), range.contains(number) else {
      throw error(
        "\(what) is '\(text)'",
        needed: "a whole number from \(range.lowerBound) to \(range.upperBound) is needed")
    }
    return number
  }

  func number(_ what: String) throws(SettingsError) -> Double {
    let text = try text(what)
    guard let number = Double(text), number.isFinite else {
      throw error("\(what) is '\(text)'", needed: "a number such as 0.95 is needed")
    }
    return number
  }
}

extension SettingsError {
  /// The first trouble of a text that is no YAML.
  fileprivate init(_ error: YamlError, file: String) {
    let needed = "YAML is needed"
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(file: file, line: mark.line, found: "it is no YAML (\(problem))", needed: needed)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { "'\($0)'" }.joined(separator: ", ")
      self.init(
        file: file, line: context.mark.line, found: "\(keys) occurs more than once",
        needed: "each key is needed once")
    case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem),
      .representer(let problem):
      self.init(file: file, line: nil, found: "it is no YAML (\(problem))", needed: needed)
    case .no, .memory, .dataCouldNotBeDecoded:
      self.init(file: file, line: nil, found: "it cannot be read", needed: needed)
    }
  }
}
