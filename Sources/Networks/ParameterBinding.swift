internal import TensorIR
internal import Tensors

/// A parameter that a table lacks or holds in a shape that its layer cannot have.
public struct ParameterMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of the layer's node.
  public let node: String
  public let role: ParameterRole
  /// The shape in the table; `nil` if it is not there.
  public let found: [Int]?
  /// The shape that the layer has in the table's convention.
  public let expected: [Int]

  public var description: String {
    let needed = "the layer needs \((expected as [Int?]).text)"
    guard let found else { return "layer '\(node)' has no \(role); \(needed)" }
    return "\(role) of layer '\(node)' is \((found as [Int?]).text); \(needed)"
  }
}

extension Network {
  /// How a table of the convention holds a parameter of this network's graph.
  public func arrangement(
    of parameter: GraphParameter, in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    nodes[parameter.key.node].layer.arrangement(
      of: parameter.key.role, shape: parameter.value.type.shape, in: convention)
  }

  /// The elements of graph parameters, in the graph's order, from a table of a framework.
  ///
  /// - Returns: One list per parameter, row-major in the parameter's graph shape.
  /// - Throws: ``ParameterMismatch`` naming the first that is missing or has another shape.
  public func elements(
    of parameters: [GraphParameter], from table: ParameterTable
  ) throws(ParameterMismatch) -> [[Double]] {
    var bound: [[Double]] = []
    for parameter in parameters {
      let key = parameter.key
      let arrangement = arrangement(of: parameter, in: table.convention)
      let tensor = table[key.node, key.role]
      guard let tensor, tensor.shape == arrangement.tableShape else {
        throw ParameterMismatch(
          node: nodes[key.node].name, role: key.role, found: tensor?.shape,
          expected: arrangement.tableShape)
      }
      bound.append(arrangement.graphElements(tensor.elements()))
    }
    return bound
  }

  /// A table of a framework's convention from elements in the graph's order, such as a gradient.
  ///
  /// - Parameters:
  ///   - elements: One list per parameter, row-major in the parameter's graph shape.
  ///   - parameters: What they belong to.
  ///   - convention: The axis order of the result.
  /// - Returns: A table with one tensor per parameter.
  public func table(
    of elements: [[Double]], for parameters: [GraphParameter],
    in convention: ParameterTable.Convention
  ) -> ParameterTable {
    precondition(elements.count == parameters.count, "one list per parameter")
    var table = ParameterTable(convention: convention)
    for (elements, parameter) in zip(elements, parameters) {
      let arrangement = arrangement(of: parameter, in: convention)
      table[parameter.key.node, parameter.key.role] = Tensor(
        arrangement.tableElements(elements), shape: arrangement.tableShape)
    }
    return table
  }
}
