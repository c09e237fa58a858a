import TensorIR
import Testing

@Suite("Hostile text")
struct ParseErrorTests {
  struct Wrong: Sendable {
    let line: String
    let message: String
  }

  /// Lines behind `%0 = argument "x" : real[2, 3]` and what is wrong with them.
  static let wrong: [Wrong] = [
    Wrong(
      line: "%1 = tahn %0 : real[2, 3]",
      message: "found 'tahn'; needed an operation; did you mean 'tanh'?"),
    Wrong(
      line: "%1 = xyzzyquux %0 : real[2, 3]", message: "found 'xyzzyquux'; needed an operation"),
    Wrong(
      line: "%1 = argumen \"y\" : real[2, 3]",
      message: "found 'argumen'; needed an operation; did you mean 'argument'?"),
    Wrong(line: "%1 = : real[2]", message: "found ':'; needed an operation"),
    Wrong(line: "%2 = tanh %0 : real[2, 3]", message: "found %2; needed %1, the next value"),
    Wrong(line: "%0 = tanh %0 : real[2, 3]", message: "found %0; needed %1, the next value"),
    Wrong(
      line: "%99999999999999999999 = tanh %0 : real[2, 3]",
      message: "found '99999999999999999999'; needed a whole number"),
    Wrong(line: "%1 = tanh %1 : real[2, 3]", message: "found %1; needed a value from a line above"),
    Wrong(
      line: "%1 = tanh %-1 : real[2, 3]", message: "found %-1; needed a value from a line above"),
    Wrong(
      line: "%1 = argument \"x\" : real[2]",
      message: "found a second input 'x'; needed a name of its own"),
    Wrong(line: "%1 = argument \"y : real[2]", message: "found the end of the line; needed '\"'"),
    Wrong(
      line: "%1 = argument \"\\q\" : real[2]",
      message: "found '\\' before 'q\"'; needed '\\\"', '\\\\' or '\\u{…}'"),
    Wrong(
      line: "%1 = argument \"\\u{110000}\" : real[2]",
      message: "found '110000'; needed the number of a character"),
    Wrong(
      line: "%1 = tanh %0 : real[2, 4]", message: "found type real[2, 4]; needed real[2, 3]"),
    Wrong(
      line: "%1 = tanh %0 : reel[2, 3]",
      message: "found 'reel[2,'; needed one of real, index, boolean; did you mean 'real'?"),
    Wrong(line: "%1 = tanh %0", message: "found the end of the line; needed ':'"),
    Wrong(line: "%1 = tanh %0 : real[2, 3", message: "found the end of the line; needed ']'"),
    Wrong(
      line: "%1 = tanh %0 : real[2, 3] x", message: "found 'x'; needed the end of the line"),
    Wrong(
      line: "%1 = tanh %0, %0 : real[2, 3]",
      message: "found tanh of (real[2, 3], real[2, 3]); needed operands of kind (real)"),
    Wrong(
      line: "%1 = tanh : real[2, 3]",
      message: "found tanh of (); needed operands of kind (real)"),
    Wrong(
      line: "%1 = tanh %0 {axis = [1]} : real[2, 3]",
      message: "found attribute 'axis'; needed none"),
    Wrong(
      line: "%1 = concatenate %0 {axis = [0], axes = [0]} : real[2, 3]",
      message: "found attribute 'axes'; needed one of axis; did you mean 'axis'?"),
    Wrong(
      line: "%1 = concatenate %0 {axis = [0], axis = [1]} : real[2, 3]",
      message: "found a second attribute 'axis'; needed one of each name"),
    Wrong(
      line: "%1 = concatenate %0 : real[2, 3]",
      message: "found concatenate {}; needed attribute 'axis' as a list of whole numbers"),
    Wrong(
      line: "%1 = concatenate %0 {axis = [0, 1]} : real[2, 3]",
      message: "found concatenate {axis = [0, 1]}; needed attribute 'axis' as one whole number"),
    Wrong(
      line: "%1 = concatenate %0 {axis = [-1]} : real[2, 3]",
      message: "found concatenate of (real[2, 3]); needed types that differ along axis -1 only"),
    Wrong(
      line: "%1 = reduce %0 {operation = mean, axes = [0]} : real[3]",
      message: "found reduce {operation = mean, axes = [0]}; needed attribute 'operation' as one of"
        + " sum, maximum"),
    Wrong(
      line: "%1 = reduce %0 {operation = , axes = [0]} : real[3]",
      message: "found ','; needed a list, word or number"),
    Wrong(
      line: "%1 = constant 1e999 : real[]", message: "found '1e999'; needed a number"),
    Wrong(line: "%1 = constant one : real[]", message: "found 'one'; needed a number"),
    Wrong(
      line: "%1 = table [1, 2] : real[3]",
      message: "found 2 elements; needed the number that real[3] has"),
    Wrong(
      line: "%1 = constant 0 : real[0]",
      message: "found real[0]; needed at most 32 extents from 1 to 2147483647, in all"
        + " at most 2^53 elements"),
    Wrong(
      line: "%1 = constant 0 : real[-2, -3]",
      message: "found real[-2, -3]; needed at most 32 extents from 1 to 2147483647, in all"
        + " at most 2^53 elements"),
    Wrong(
      line: "%1 = constant 0 : real[2147483647, 2147483647, 2147483647]",
      message: "found real[2147483647, 2147483647, 2147483647]; needed at most 32 extents"
        + " from 1 to 2147483647, in all at most 2^53 elements"),
    Wrong(
      line: "%1 = broadcast_in_dim %0 {shape = [9999999999, 2, 3], axes = [1, 2]} : real[1]",
      message: "found broadcast_in_dim of (real[2, 3]); needed a smaller result than"
        + " real[9999999999, 2, 3]"),
    Wrong(
      line: "output \"y\" = %1", message: "found %1; needed a value from a line above"),
    Wrong(
      line: "output \"y\" = %0 carried to %0", message: "found 'to'; needed 'into'"),
    Wrong(line: "outptu \"y\" = %0", message: "found 'outptu'; needed 'output'"),
    Wrong(line: "output y = %0", message: "found 'y'; needed '\"'"),
  ]

  @Test("a message names the line, what was found and what is needed", arguments: wrong)
  func messages(_ wrong: Wrong) {
    let text = "\n%0 = argument \"x\" : real[2, 3]\n\(wrong.line)\n"
    let error = #expect(throws: ParseError.self) { try Graph(parsing: text) }
    #expect(error?.description == "line 3: \(wrong.message)")
  }

  @Test("a shape of very many axes is refused before anything compares them")
  func manyAxes() {
    let ones = Array(repeating: "1", count: 100_000).joined(separator: ", ")
    let error = #expect(throws: ParseError.self) {
      try Graph(parsing: "%0 = constant 0 : real[\(ones)]")
    }
    #expect(error?.needed.hasPrefix("at most 32 extents") == true)
    #expect((error?.description.count ?? 0) < 700)
    let text = "%0 = constant 0 : real[]\n%1 = reshape %0 {shape = [\(ones)]} : real[]"
    #expect(throws: ParseError.self) { try Graph(parsing: text) }
  }

  @Test("outputs come last, once each, and return to inputs of their type")
  func outputs() {
    let start = """
      %0 = argument "x" : real[2]
      %1 = tanh %0 : real[2]
      %2 = argument "y" : real[3]
      output "a" = %1

      """
    let messages = [
      "output \"a\" = %1": "line 5: found a second output 'a'; needed a name of its own",
      "output \"b\" = %1 carried into %1":
        "line 5: found %1; needed an input of type real[2]",
      "output \"b\" = %1 carried into %2":
        "line 5: found %2; needed an input of type real[2]",
      "%3 = tanh %0 : real[2]": "line 5: found %3; needed values before outputs",
    ]
    for (line, message) in messages {
      let error = #expect(throws: ParseError.self) { try Graph(parsing: start + line) }
      #expect(error?.description == message)
    }
  }

  @Test("an output of a placeholder is refused with the placeholder's line")
  func placeholder() {
    let text = "\n%0 = placeholder : real[2]\n%1 = tanh %0 : real[2]\noutput \"y\" = %1\n"
    let error = #expect(throws: ParseError.self) { try Graph(parsing: text) }
    #expect(error?.line == 2)
  }

  /// Numbers that overflow, index backwards or make something empty.
  private static let hostile = [
    "9223372036854775807", "-9223372036854775808", "4611686018427387904", "2147483647",
    "2147483648", "-1", "0", "1", "",
  ]

  @Test("no attribute of any primitive traps", arguments: PrimitiveCase.all)
  func attributes(_ subject: PrimitiveCase) throws {
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    _ = graph.apply(subject.primitive, inputs)
    let text = graph.description
    for range in text.ranges(of: /-?\d+/) {
      for number in Self.hostile { survives(text.replacingCharacters(range, number)) }
    }
    for range in text.ranges(of: /\[[^\]]*\]/) {
      for list in ["[]", "[1]", "[0, 0, 0, 0, 0, 0, 0]", "[2147483647, 2147483647]"] {
        survives(text.replacingCharacters(range, list))
      }
    }
  }

  @Test("text that was tampered with is refused or read, never a crash", arguments: 0..<30)
  func tampering(_ seed: UInt64) {
    var program = RandomProgram(seed: seed, steps: 12, isRaw: true)
    program.differentiate()
    let bytes = Array(program.graph.description.utf8)
    var generator = SplitMix64(seed: seed)
    for _ in 0..<40 {
      var text = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) where text.count > 1 {
        let place = Int.random(in: 0..<text.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: text.remove(at: place)
        case 1: text.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        case 2: text[place] = text[Int.random(in: 0..<text.count, using: &generator)]
        case 3: text.removeSubrange(place..<min(text.count, place + 50))
        default:
          let number = Self.hostile[Int.random(in: Self.hostile.indices, using: &generator)]
          text.insert(contentsOf: number.utf8, at: place)
        }
      }
      survives(String(decoding: text, as: UTF8.self))
    }
  }

  /// Whatever is read is sound and prints as text that means the same.
  private func survives(_ text: String) {
    guard let graph = try? Graph(parsing: text) else { return }
    #expect(throws: Never.self) { try graph.verify() }
    #expect(
      (try? Graph(parsing: graph.description))?.description == graph.description, "\(text)")
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<Index>, _ text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
