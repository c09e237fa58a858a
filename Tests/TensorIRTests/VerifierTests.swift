import TensorIR
import Testing

@Suite("Verifier")
struct VerifierTests {
  /// A graph with one fault, and what is said of it.
  struct Fault: Sendable, CustomTestStringConvertible {
    let message: String
    let make: @Sendable (inout Graph) -> Void
    var testDescription: String { message }
  }

  /// Node 0 of another graph, as a value of that type.
  private static func foreign(_ index: Int, _ type: TensorType) -> Value {
    var graph = Graph()
    for _ in 0..<index { _ = graph.append(.placeholder, .scalar) }
    return graph.append(.placeholder, type)
  }

  static let pair = TensorType([2])

  static let faults: [Fault] = [
    Fault(message: "%1: a second input is called 'x'") { graph in
      _ = graph.append(.input(name: "x", .parameter), pair)
    },
    Fault(message: "%1: no tensor is of type real[0]") { graph in
      _ = graph.append(.constant(0), TensorType([0]))
    },
    Fault(message: "%1: no tensor is of type real[2, -1]") { graph in
      _ = graph.append(.input(name: "y", .argument), TensorType([2, -1]))
    },
    Fault(message: "%1: no tensor is of type real[2147483647, 2147483647, 2147483647]") { graph in
      let extents = Array(repeating: TensorType.largestExtent, count: 3)
      _ = graph.append(.constant(0), TensorType(extents))
    },
    Fault(message: "%1: 3 elements for real[2]") { graph in
      _ = graph.append(.table([1, 2, 3]), pair)
    },
    Fault(message: "%1: 0.5 is no element of index[2]") { graph in
      _ = graph.append(.constant(0.5), TensorType([2], .index))
    },
    Fault(message: "%1: -1.0 is no element of index[2]") { graph in
      _ = graph.append(.table([3, -1]), TensorType([2], .index))
    },
    Fault(message: "%1: nan is no element of index[2]") { graph in
      _ = graph.append(.table([3, .nan]), TensorType([2], .index))
    },
    Fault(message: "%1: 2.0 is no element of boolean[2]") { graph in
      _ = graph.append(.table([1, 2]), TensorType([2], .boolean))
    },
    Fault(message: "%1: uses %1, which comes later") { graph in
      _ = graph.append(.primitive(Tanh(), [foreign(1, pair)]), pair)
    },
    Fault(message: "%1: takes %0 for real[3]") { graph in
      _ = graph.append(.primitive(Tanh(), [foreign(0, TensorType([3]))]), TensorType([3]))
    },
    Fault(message: "%1: add got (real[2]); it needs operands of kind (real, real)") { graph in
      _ = graph.append(.primitive(Add(), [graph.value(0)]), pair)
    },
    Fault(message: "%1: tanh got (real[2]); it needs a result of real[2]") { graph in
      _ = graph.append(.primitive(Tanh(), [graph.value(0)]), TensorType([3]))
    },
    Fault(
      message: "%1: broadcast_in_dim got (real[2]); it needs a smaller result than"
        + " real[2, 9007199254740993]"
    ) { graph in
      let type = TensorType([2, 1 << 53 + 1])
      let copy = BroadcastInDim(shape: type.shape, axes: [0])
      _ = graph.append(.primitive(copy, [graph.value(0)]), pair)
    },
    Fault(message: "a second output is called 'y'") { graph in
      graph.append(Graph.Output(name: "y", value: graph.value(0), carriedInto: nil))
      graph.append(Graph.Output(name: "y", value: graph.value(0), carriedInto: nil))
    },
    Fault(message: "output 'y' is no node") { graph in
      graph.append(Graph.Output(name: "y", value: foreign(7, pair), carriedInto: nil))
    },
    Fault(message: "'y' is carried into %1, no input of its type") { graph in
      let constant = graph.constant(1, pair)
      graph.append(Graph.Output(name: "y", value: graph.value(0), carriedInto: constant))
    },
    Fault(message: "'y' is carried into %0, no input of its type") { graph in
      let scalar = graph.constant(1)
      graph.append(Graph.Output(name: "y", value: scalar, carriedInto: graph.value(0)))
    },
    Fault(message: "'y' is carried into %5, no input of its type") { graph in
      let target = foreign(5, pair)
      graph.append(Graph.Output(name: "y", value: graph.value(0), carriedInto: target))
    },
    Fault(message: "%1: an output depends on this placeholder") { graph in
      let placeholder = graph.append(.placeholder, pair)
      graph.output("y", graph.apply(Tanh(), placeholder))
    },
  ]

  @Test("each kind of fault is named with its node", arguments: faults)
  func rejects(_ fault: Fault) {
    var graph = Graph()
    _ = graph.input("x", Self.pair)
    fault.make(&graph)
    let error = #expect(throws: InvalidGraph.self) { try graph.verify() }
    #expect(error?.description == fault.message)
  }

  @Test("random programs and their derivatives are sound", arguments: 0..<20)
  func accepts(_ seed: UInt64) throws {
    var program = RandomProgram(seed: seed, steps: 30, isRaw: seed.isMultiple(of: 2))
    program.differentiate()
    try program.graph.verify()
    try program.graph.simplified().verify()
  }
}
