extension Graph {
  /// Reads the text form that ``description`` writes, one node per line as it stands.
  ///
  /// Nothing is shared or simplified, so the graph prints as the same text. Blank lines are passed
  /// over.
  ///
  /// - Throws: ``ParseError`` for text that is no sound graph, whatever its origin.
  public init(parsing text: String) throws(ParseError) {
    self.init()
    var parser = GraphParser()
    // Of bytes, because "\r\n" is one character.
    let texts = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in texts.enumerated() {
      var scanner = LineScanner(line, line: index + 1)
      guard !scanner.isAtEnd else { continue }
      try parser.read(&scanner)
    }
    do throws(InvalidGraph) {
      try parser.graph.verify()
    } catch {
      let line = error.node.map { parser.lines[$0] } ?? parser.lastLine
      throw ParseError(line: line, found: error.reason, needed: "a graph without that")
    }
    self = parser.graph
  }
}

/// Builds a graph from its lines.
private struct GraphParser {
  var graph = Graph()
  /// The line of each node.
  var lines: [Int] = []
  var lastLine = 1

  private static let primitives = Dictionary(
    uniqueKeysWithValues: PrimitiveCatalog.all.map { ($0.mnemonic, $0) })
  private static let words =
    Graph.InputKind.allCases.map(\.rawValue) + ["constant", "table", "placeholder"]
    + primitives.keys.sorted()

  mutating func read(_ line: inout LineScanner) throws(ParseError) {
    lastLine = line.line
    if line.take("%") {
      try readNode(&line)
    } else {
      try line.expect(word: "output")
      try readOutput(&line)
    }
    guard line.isAtEnd else { throw line.error(needed: "the end of the line") }
  }

  private mutating func readNode(_ line: inout LineScanner) throws(ParseError) {
    let number = try line.integer()
    guard number == graph.nodes.count, graph.outputs.isEmpty else {
      let needed =
        graph.outputs.isEmpty ? "%\(graph.nodes.count), the next value" : "values before outputs"
      throw line.error("%\(number)", needed: needed)
    }
    try line.expect("=")
    let origin = try origin(&line)
    try line.expect(":")
    let type = try type(&line)
    try check(origin, type, line)
    _ = graph.append(origin, type)
    lines.append(line.line)
  }

  private func origin(_ line: inout LineScanner) throws(ParseError) -> Graph.Origin {
    let start = line
    let word = line.word()
    if let kind = Graph.InputKind(rawValue: word) {
      let name = try line.string()
      guard graph.input(named: name) == nil else {
        throw line.error("a second input '\(name)'", needed: "a name of its own")
      }
      return .input(name: name, kind)
    }
    switch word {
    case "constant": return .constant(try line.number())
    case "table":
      return .table(try line.list { line throws(ParseError) in try line.number() })
    case "placeholder": return .placeholder
    default:
      guard let kind = Self.primitives[word] else {
        throw start.error(needed: "an operation", suggestion: Self.words.nearest(to: word))
      }
      let operands = try operands(&line)
      return .primitive(try primitive(kind, &line), operands)
    }
  }

  private func operands(_ line: inout LineScanner) throws(ParseError) -> [Value] {
    guard line.take("%") else { return [] }
    var operands = [try value(&line)]
    while line.take(",") {
      try line.expect("%")
      operands.append(try value(&line))
    }
    return operands
  }

  /// Reads the number of a value behind its sign.
  private func value(_ line: inout LineScanner) throws(ParseError) -> Value {
    let number = try line.integer()
    guard graph.nodes.indices.contains(number) else {
      throw line.error("%\(number)", needed: "a value from a line above")
    }
    return graph.value(number)
  }

  private func primitive(
    _ kind: any Primitive.Type, _ line: inout LineScanner
  ) throws(ParseError) -> any Primitive {
    let given = try attributes(&line)
    let primitive: any Primitive
    do throws(AttributeMismatch) {
      primitive = try kind.init(Attributes(given))
    } catch {
      throw line.error(
        "\(kind.mnemonic) \(Attributes(given))",
        needed: "attribute '\(error.name)' as \(error.expectation)")
    }
    let names = primitive.attributes.entries.map(\.name)
    for (index, entry) in given.enumerated() {
      guard names.contains(entry.name) else {
        throw line.error(
          "attribute '\(entry.name)'",
          needed: names.isEmpty ? "none" : "one of \(names.joined(separator: ", "))",
          suggestion: names.nearest(to: entry.name))
      }
      guard !given[..<index].contains(where: { $0.name == entry.name }) else {
        throw line.error("a second attribute '\(entry.name)'", needed: "one of each name")
      }
    }
    return primitive
  }

  private func attributes(
    _ line: inout LineScanner
  ) throws(ParseError) -> [Attributes.Entry] {
    guard line.take("{") else { return [] }
    var entries: [Attributes.Entry] = []
    repeat {
      let name = line.word()
      try line.expect("=")
      entries.append(Attributes.Entry(name: name, value: try attribute(&line)))
    } while line.take(",")
    try line.expect("}")
    return entries
  }

  private func attribute(_ line: inout LineScanner) throws(ParseError) -> Attribute {
    var ahead = line
    if ahead.take("[") {
      return .integers(try line.list { line throws(ParseError) in try line.integer() })
    }
    let word = ahead.word()
    if Double(word) != nil { return .number(try line.number()) }
    guard !word.isEmpty else { throw line.error(needed: "a list, word or number") }
    line = ahead
    return .word(word)
  }

  private func type(_ line: inout LineScanner) throws(ParseError) -> TensorType {
    let start = line
    let word = line.word()
    guard let element = ElementType(rawValue: word) else {
      let kinds = ElementType.allCases.map(\.rawValue)
      throw start.error(
        needed: "one of \(kinds.joined(separator: ", "))", suggestion: kinds.nearest(to: word))
    }
    let shape = try line.list { line throws(ParseError) in try line.integer() }
    let type = TensorType(shape, element)
    guard type.isRepresentable else {
      throw line.error(
        type.description,
        needed: "at most \(TensorType.largestRank) extents from 1 to"
          + " \(TensorType.largestExtent), in all at most 2^53 elements")
    }
    return type
  }

  /// Finds what ``Graph/verify()`` would, while the line is at hand.
  private func check(
    _ origin: Graph.Origin, _ type: TensorType, _ line: LineScanner
  ) throws(ParseError) {
    switch origin {
    case .table(let elements) where elements.count != type.elementCount:
      throw line.error("\(elements.count) elements", needed: "the number that \(type) has")
    case .primitive(let primitive, let operands):
      let result: TensorType
      do throws(TypeMismatch) {
        result = try primitive.checkedResultType(of: operands.map(\.type))
      } catch {
        let types = error.operands.map(\.description).joined(separator: ", ")
        throw line.error("\(error.mnemonic) of (\(types))", needed: error.expectation)
      }
      guard result == type else { throw line.error("type \(type)", needed: "\(result)") }
    case .input, .constant, .table, .placeholder: break
    }
  }

  private mutating func readOutput(_ line: inout LineScanner) throws(ParseError) {
    let name = try line.string()
    guard graph.output(named: name) == nil else {
      throw line.error("a second output '\(name)'", needed: "a name of its own")
    }
    try line.expect("=")
    try line.expect("%")
    let result = try value(&line)
    var input: Value?
    if !line.isAtEnd {
      try line.expect(word: "carried")
      try line.expect(word: "into")
      try line.expect("%")
      let target = try value(&line)
      guard case .input = graph.origin(of: target), target.type == result.type else {
        throw line.error("%\(target.index)", needed: "an input of type \(result.type)")
      }
      input = target
    }
    graph.append(Graph.Output(name: name, value: result, carriedInto: input))
  }
}
