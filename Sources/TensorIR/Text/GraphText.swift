/// The text form: one line per node and per output, in order.
///
///     %0 = argument "x" : real[1, 2]
///     %1 = parameter "w" : real[2, 3]
///     %2 = dot_general %0, %1 {left_batch = [], …} : real[1, 3]
///     %3 = constant 0.5 : real[1, 3]
///     %4 = table [1.0, 2.0, 3.0] : real[1, 3]
///     output "y" = %2
///     output "state" = %4 carried into %0
///
/// Numbers are the shortest that read back as themselves. ``init(parsing:)`` reads it.
extension Graph: CustomStringConvertible {
  public var description: String {
    var text = ""
    for (index, node) in nodes.enumerated() {
      text += "%\(index) = \(node.origin) : \(node.type)\n"
    }
    for output in outputs {
      text += "output \(output.name.quoted) = %\(output.value.index)"
      if let input = output.carriedInto { text += " carried into %\(input.index)" }
      text += "\n"
    }
    return text
  }
}

extension Graph.Origin: CustomStringConvertible {
  public var description: String {
    switch self {
    case .input(let name, let kind): return "\(kind.rawValue) \(name.quoted)"
    case .constant(let scalar): return "constant \(scalar)"
    case .table(let elements):
      return "table [\(elements.map(\.description).joined(separator: ", "))]"
    case .placeholder: return "placeholder"
    case .primitive(let primitive, let operands):
      var text = primitive.mnemonic
      if !operands.isEmpty {
        text += " " + operands.map { "%\($0.index)" }.joined(separator: ", ")
      }
      if !primitive.attributes.isEmpty { text += " \(primitive.attributes)" }
      return text
    }
  }
}

extension Attributes: CustomStringConvertible {
  public var description: String {
    "{" + entries.map { "\($0.name) = \($0.value)" }.joined(separator: ", ") + "}"
  }
}

extension Attribute: CustomStringConvertible {
  public var description: String {
    switch self {
    case .integers(let numbers): "[\(numbers.map(String.init).joined(separator: ", "))]"
    case .word(let word): word
    case .number(let number): "\(number)"
    }
  }
}

extension String {
  /// The string between quotation marks, on one line.
  fileprivate var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where scalar.properties.generalCategory == .control || scalar.isLineBreak:
        text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

extension Unicode.Scalar {
  fileprivate var isLineBreak: Bool { value == 0x2028 || value == 0x2029 }
}
