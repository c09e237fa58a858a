extension Graph {
  /// The same program with nothing in it that its outputs do not need.
  ///
  /// Every node is applied anew, so identities, folds and shared subexpressions that became
  /// possible since it was appended are found. Inputs stay, needed or not: they are the program's
  /// interface.
  public func simplified() -> Graph {
    rebuilt { primitive, operands, graph in graph.apply(primitive, operands) }
  }

  /// A copy in which `body` says what replaces each application.
  func rebuilt(
    _ body: (any Primitive, [Value], inout Graph) -> Value
  ) -> Graph {
    var copy = Graph()
    var image: [Int: Value] = [:]
    let needed = Set(ancestors(of: outputs.map(\.value)))
    for (index, node) in nodes.enumerated() {
      switch node.origin {
      case .input(let name, let kind):
        image[index] = copy.input(name, node.type, kind)
      case _ where !needed.contains(index): continue
      case .placeholder: preconditionFailure("an output depends on a placeholder")
      case .constant(let scalar):
        image[index] = copy.constant(scalar, node.type)
      case .table(let elements):
        image[index] = copy.table(elements, node.type)
      case .primitive(let primitive, let operands):
        let moved = operands.compactMap { image[$0.index] }
        image[index] = body(primitive, moved, &copy)
      }
    }
    for output in outputs {
      guard let value = image[output.value.index] else { continue }
      copy.output(
        output.name, value, carriedInto: output.carriedInto.flatMap { image[$0.index] })
    }
    return copy
  }
}
