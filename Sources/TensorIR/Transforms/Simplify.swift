extension Graph {
  /// The same program with nothing in it that its outputs do not need.
  ///
  /// Every node is applied anew, so identities, folds and shared subexpressions that became
  /// possible since it was appended are found, until there are none left. Inputs stay, needed or
  /// not: they are the program's interface.
  ///
  /// Results are equal wherever all numbers are finite, but for the order of sums and the sign of
  /// zero. Each rule says what it gives up for infinities and NaN.
  public func simplified() -> Graph {
    var current = reapplied()
    while true {
      let next = current.reapplied()
      // Rules only ever remove nodes, or bring operands into their one order.
      if next.nodes.count == current.nodes.count { return next }
      current = next
    }
  }

  private func reapplied() -> Graph {
    let copy = rebuilt { primitive, operands, _, copy in copy.apply(primitive, operands) }
    copy.assertSound()
    return copy
  }

  /// A copy in which the closures say what replaces each input, application and output.
  ///
  /// `application` gets the primitive, the operands in the copy, the operands in this graph and the
  /// copy.
  func rebuilt(
    input: (String, TensorType, InputKind, Int, inout Graph) -> Value = {
      name, type, kind, _, copy in
      copy.input(name, type, kind)
    },
    application: (any Primitive, [Value], [Value], inout Graph) -> Value,
    output: (Value, Output, inout Graph) -> Value = { value, _, _ in value }
  ) -> Graph {
    var copy = Graph()
    var image: [Value?] = Array(repeating: nil, count: nodes.count)
    let needed = Set(ancestors(of: outputs.map(\.value)))
    for (index, node) in nodes.enumerated() {
      switch node.origin {
      case .input(let name, let kind):
        image[index] = input(name, node.type, kind, index, &copy)
      case _ where !needed.contains(index): continue
      case .placeholder: preconditionFailure("an output depends on a placeholder")
      case .constant(let scalar):
        image[index] = copy.constant(scalar, node.type)
      case .table(let elements):
        image[index] = copy.table(elements, node.type)
      case .primitive(let primitive, let operands):
        let moved = operands.compactMap { image[$0.index] }
        image[index] = application(primitive, moved, operands, &copy)
      }
    }
    for original in outputs {
      guard let value = image[original.value.index] else { continue }
      let replaced = output(value, original, &copy)
      copy.output(
        original.name, replaced, carriedInto: original.carriedInto.flatMap { image[$0.index] })
    }
    return copy
  }
}
