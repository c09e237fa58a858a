extension Graph {
  /// Reverse mode: the cotangents of `inputs` for cotangents of results, as new nodes.
  ///
  /// The graph between inputs and results is linearised by ``pushforward(of:along:)`` along
  /// placeholders, and the linear program is transposed from its end; see Radul et al., *You Only
  /// Linearize Once*, POPL 2023. The answer consists of ordinary nodes, so it can be differentiated
  /// again in either mode.
  ///
  /// - Parameters:
  ///   - results: What is differentiated, each with the cotangent that starts there.
  ///   - inputs: What the cotangents are wanted of; they may lie in the middle of the graph.
  /// - Returns: One cotangent per input, zero where nothing depends on it.
  public mutating func pullback(
    of results: [(value: Value, cotangent: Value)], to inputs: [Value]
  ) -> [Value] {
    let placeholders = inputs.map { append(.placeholder, $0.type) }
    let directions = Dictionary(
      zip(inputs, placeholders), uniquingKeysWith: { first, _ in first })
    let first = nodes.count
    let tangents = pushforward(of: results.map(\.value), along: directions)
    let isLinear = descendants(of: placeholders)
    var cotangents: [Int: Value] = [:]
    for (tangent, result) in zip(tangents, results) {
      guard let tangent else { continue }
      precondition(result.cotangent.type == tangent.type, "a cotangent has its value's type")
      cotangents[tangent.index] = sum(cotangents[tangent.index], result.cotangent)
    }
    for index in (first..<isLinear.count).reversed() where isLinear[index] {
      guard let cotangent = cotangents[index],
        case .primitive(let primitive, let operands) = nodes[index].origin
      else { continue }
      let linear = operands.map { isLinear[$0.index] }
      for (position, operand) in operands.enumerated() where linear[position] {
        let contribution = primitive.transpose(
          cotangent, to: position, linear: linear, at: operands, in: &self)
        cotangents[operand.index] = sum(cotangents[operand.index], contribution)
      }
    }
    assertSound()
    return inputs.map { input in
      let placeholder = directions[input].map(\.index) ?? input.index
      return cotangents[placeholder] ?? zero(input.type)
    }
  }

  /// The gradient of a scalar.
  ///
  /// - Precondition: `result` is a real scalar.
  public mutating func gradient(of result: Value, in inputs: [Value]) -> [Value] {
    precondition(result.type == .scalar, "a gradient is that of a scalar")
    return pullback(of: [(result, constant(1))], to: inputs)
  }
}
