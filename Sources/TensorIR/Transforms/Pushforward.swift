extension Graph {
  /// Directional derivatives, as new nodes.
  ///
  /// - Parameters:
  ///   - results: What is differentiated.
  ///   - directions: A direction for each value that moves, of the value's type. A value in the
  ///     middle of the graph counts as independent of what makes it.
  /// - Returns: The derivative of each result along the directions; `nil` where it is zero.
  /// - Complexity: One pass over the nodes between the directions and the results.
  public mutating func pushforward(
    of results: [Value], along directions: [Value: Value]
  ) -> [Value?] {
    let moving = descendants(of: Array(directions.keys))
    var tangents: [Int: Value] = [:]
    for (value, direction) in directions {
      precondition(value.type == direction.type, "a direction has the type of what it moves")
      tangents[value.index] = direction
    }
    for index in ancestors(of: results) where moving[index] && tangents[index] == nil {
      guard case .primitive(let primitive, let operands) = nodes[index].origin else { continue }
      let arriving = operands.map { tangents[$0.index] }
      guard arriving.contains(where: { $0 != nil }) else { continue }
      tangents[index] = primitive.pushforward(
        arriving, at: operands, result: value(index), in: &self)
    }
    assertSound()
    return results.map { tangents[$0.index] }
  }

  /// The directional derivative of one result, zero where nothing moves it.
  public mutating func pushforward(of result: Value, along directions: [Value: Value]) -> Value {
    pushforward(of: [result], along: directions)[0] ?? zero(result.type)
  }
}
