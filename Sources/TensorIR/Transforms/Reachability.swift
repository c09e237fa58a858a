extension Graph {
  /// The nodes that `values` depend on, themselves included, in order.
  func ancestors(of values: [Value]) -> [Int] {
    var isNeeded = Array(repeating: false, count: nodes.count)
    for value in values { isNeeded[value.index] = true }
    for index in nodes.indices.reversed() where isNeeded[index] {
      guard case .primitive(_, let operands) = nodes[index].origin else { continue }
      for operand in operands { isNeeded[operand.index] = true }
    }
    return nodes.indices.filter { isNeeded[$0] }
  }

  /// Which nodes depend on any of `values`, themselves included.
  func descendants(of values: [Value]) -> [Bool] {
    var depends = Array(repeating: false, count: nodes.count)
    for value in values { depends[value.index] = true }
    for index in nodes.indices where !depends[index] {
      guard case .primitive(_, let operands) = nodes[index].origin else { continue }
      depends[index] = operands.contains { depends[$0.index] }
    }
    return depends
  }
}
