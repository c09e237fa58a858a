/// Runs a graph with each primitive's defining meaning, in double precision.
///
/// Slow on purpose: it is the oracle every backend is compared with.
public struct ReferenceInterpreter: Sendable {
  public init() {}

  /// The elements of `values`, each in row-major order.
  ///
  /// - Precondition: `inputs` binds every input that `values` depend on, with as many elements as
  ///   its type has.
  public func evaluate(
    _ values: [Value], in graph: Graph, inputs: [Value: [Double]]
  ) -> [[Double]] {
    let needed = graph.ancestors(of: values)
    var elements: [Int: [Double]] = [:]
    for index in needed {
      let node = graph.nodes[index]
      switch node.origin {
      case .input(let name, _):
        guard let bound = inputs[graph.value(index)] else {
          preconditionFailure("no elements were bound to '\(name)' of type \(node.type)")
        }
        precondition(bound.count == node.type.elementCount, "'\(name)' is of type \(node.type)")
        elements[index] = bound
      case .placeholder: preconditionFailure("a placeholder has no elements")
      case .constant(let scalar):
        elements[index] = Array(repeating: scalar, count: node.type.elementCount)
      case .table(let table):
        elements[index] = table
      case .primitive(let primitive, let operands):
        elements[index] = primitive.reference(
          operands.map { elements[$0.index, default: []] }, types: operands.map(\.type),
          result: node.type)
      }
    }
    return values.map { elements[$0.index, default: []] }
  }

  /// The elements of one value.
  public func evaluate(
    _ value: Value, in graph: Graph, inputs: [Value: [Double]]
  ) -> [Double] {
    evaluate([value], in: graph, inputs: inputs)[0]
  }
}
