import TensorIR

/// The reference interpreter as a backend, for graphs that a test can wait for.
struct InterpreterBackend: Backend {
  func compile(
    _ graph: Graph, in precision: Precision
  ) throws(BackendError) -> InterpretedProgram {
    do throws(InvalidGraph) {
      try graph.verify()
    } catch {
      throw BackendError(error.description)
    }
    return InterpretedProgram(graph)
  }
}

final class InterpretedProgram: CompiledProgram {
  private let graph: Graph
  private var bound: [Value: [Double]] = [:]
  private var results: [String: [Double]] = [:]

  init(_ graph: Graph) { self.graph = graph }

  func bind(_ elements: [Double], to input: String) {
    guard let value = graph.input(named: input), elements.count == value.type.elementCount else {
      preconditionFailure("'\(input)' does not take \(elements.count) elements")
    }
    bound[value] = elements
  }

  func run() throws(BackendError) {
    for input in graph.inputs where bound[input.value] == nil {
      throw BackendError("nothing is bound to '\(input.name)'")
    }
    let values = ReferenceInterpreter().evaluate(
      graph.outputs.map(\.value), in: graph, inputs: bound)
    for (output, elements) in zip(graph.outputs, values) {
      results[output.name] = elements
      if let input = output.carriedInto { bound[input] = elements }
    }
  }

  func elements(of output: String) -> [Double] { results[output] ?? [] }
}
