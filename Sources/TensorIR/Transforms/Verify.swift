/// A graph that breaks a rule of the IR.
public struct InvalidGraph: Error, Hashable, Sendable, CustomStringConvertible {
  /// The node, if one is to blame.
  public let node: Int?
  public let reason: String

  public var description: String {
    (node.map { "%\($0): " } ?? "") + reason
  }
}

extension Graph {
  /// Stops a debug build whose transform has made an invalid graph.
  func assertSound(_ transform: StaticString = #function) {
    #if DEBUG
      do throws(InvalidGraph) {
        try verify()
      } catch {
        preconditionFailure("\(transform) made an invalid graph: \(error)")
      }
    #endif
  }

  /// Checks that every node follows what it uses and has the type that its primitive gives it, that
  /// the elements of constants are of their kind, that the names of inputs and outputs are unique,
  /// and that carried outputs fit their inputs.
  ///
  /// - Throws: ``InvalidGraph`` naming the first node that breaks a rule.
  public func verify() throws(InvalidGraph) {
    var names: Set<String> = []
    for (index, node) in nodes.enumerated() {
      guard node.type.isRepresentable else {
        throw InvalidGraph(node: index, reason: "no tensor is of type \(node.type)")
      }
      switch node.origin {
      case .input(let name, _):
        guard names.insert(name).inserted else {
          throw InvalidGraph(node: index, reason: "a second input is called '\(name)'")
        }
      case .placeholder: break
      case .constant(let scalar):
        guard node.type.element.admits(scalar) else {
          throw InvalidGraph(node: index, reason: "\(scalar) is no element of \(node.type)")
        }
      case .table(let elements):
        if let element = elements.first(where: { !node.type.element.admits($0) }) {
          throw InvalidGraph(node: index, reason: "\(element) is no element of \(node.type)")
        }
        guard elements.count == node.type.elementCount else {
          throw InvalidGraph(
            node: index, reason: "\(elements.count) elements for \(node.type)")
        }
      case .primitive(let primitive, let operands):
        try verify(primitive, operands, at: index)
      }
    }
    try verifyOutputs()
    for index in ancestors(of: outputs.map(\.value)) {
      if case .placeholder = nodes[index].origin {
        throw InvalidGraph(node: index, reason: "an output depends on this placeholder")
      }
    }
  }

  private func verify(
    _ primitive: any Primitive, _ operands: [Value], at index: Int
  ) throws(InvalidGraph) {
    for operand in operands {
      guard operand.index < index else {
        throw InvalidGraph(node: index, reason: "uses %\(operand.index), which comes later")
      }
      guard operand.type == nodes[operand.index].type else {
        throw InvalidGraph(node: index, reason: "takes %\(operand.index) for \(operand.type)")
      }
    }
    do throws(TypeMismatch) {
      let type = try primitive.checkedResultType(of: operands.map(\.type))
      guard type == nodes[index].type else {
        throw TypeMismatch(
          primitive.mnemonic, operands.map(\.type), expected: "a result of \(type)")
      }
    } catch {
      throw InvalidGraph(node: index, reason: error.description)
    }
  }

  private func verifyOutputs() throws(InvalidGraph) {
    var names: Set<String> = []
    for output in outputs {
      guard names.insert(output.name).inserted else {
        throw InvalidGraph(node: nil, reason: "a second output is called '\(output.name)'")
      }
      guard nodes.indices.contains(output.value.index) else {
        throw InvalidGraph(node: nil, reason: "output '\(output.name)' is no node")
      }
      guard let input = output.carriedInto else { continue }
      guard nodes.indices.contains(input.index), case .input = origin(of: input),
        input.type == output.value.type
      else {
        throw InvalidGraph(
          node: nil,
          reason: "'\(output.name)' is carried into %\(input.index), no input of its type")
      }
    }
  }
}
