import Attacks
import COneDNN
import CPUBackend
import Networks
import TensorIR
import Testing

/// Whole iterations of gradient matching: what the backend is for.
@Suite("networks on the processor")
struct NetworkTests {
  /// A network and the shape of its output.
  struct Example: Sendable, CustomStringConvertible {
    var network: Network
    var description: String { network.name }
  }

  static let examples: [Example] = [
    Network(
      "dense", input: [48],
      [
        "a": Dense(outputs: 40), "b": Activation(.relu), "c": Dense(outputs: 33),
        "d": Activation(.tanh), "e": Dense(outputs: 10),
      ]),
    Network(
      "lenet", input: [16, 16, 3],
      [
        "a": Convolution(
          filters: 12, kernel: [5, 5], stride: [2, 2], padding: .explicit([2, 2])),
        "b": Activation(.sigmoid),
        "c": Convolution(
          filters: 12, kernel: [5, 5], stride: [2, 2], padding: .explicit([2, 2])),
        "d": Activation(.sigmoid), "e": Flatten(), "f": Dense(outputs: 10),
      ]),
    Network(
      "wide", input: [8, 8, 3],
      [
        "a": Convolution(filters: 32, kernel: [3, 3], padding: .same, hasBias: false),
        "b": BatchNormalization(axis: 2), "c": Activation(.relu),
        "d": Pooling(.maximum, window: [2, 2]),
        "e": Convolution(filters: 48, kernel: [3, 3], padding: .same, groups: 2),
        "f": BatchNormalization(axis: 2), "g": Activation(.sigmoid),
        "h": Convolution(filters: 16, kernel: [1, 1]), "i": Pooling(.average),
        "j": Dense(outputs: 5),
      ]),
    residual,
  ].map(Example.init)

  /// Two branches that meet, one of them strided and projected.
  private static let residual = Network(
    "residual", inputShapes: [[8, 8, 4]],
    nodes: [
      .init(
        name: "a", layer: Convolution(filters: 16, kernel: [3, 3], padding: .same),
        sources: [.input(0)]),
      .init(name: "b", layer: Activation(.relu), sources: [.node(0)]),
      .init(
        name: "c",
        layer: Convolution(
          filters: 32, kernel: [3, 3], stride: [2, 2], padding: .explicit([1, 1])),
        sources: [.node(1)]),
      .init(
        name: "d", layer: Convolution(filters: 32, kernel: [1, 1], stride: [2, 2]),
        sources: [.node(1)]),
      .init(name: "e", layer: Merge(.add), sources: [.node(2), .node(3)]),
      .init(name: "f", layer: Activation(.relu), sources: [.node(4)]),
      .init(name: "g", layer: Pooling(.average), sources: [.node(5)]),
      .init(name: "h", layer: Dense(outputs: 7), sources: [.node(6)]),
    ])

  static func iteration(_ network: Network) throws -> (Graph, [String: [Double]]) {
    var matching = GradientMatching()
    matching.totalVariation = network.inputShapes[0].count == 3 ? 0.01 : 0
    let graph = try matching.iteration(
      of: network, samples: 1, loss: .softmaxCrossEntropy(smoothing: 0))
    var numbers = Numbers(11)
    var inputs: [String: [Double]] = [:]
    for input in graph.inputs {
      let isPositive = input.name.contains("ariance") || input.name.contains("power")
      inputs[input.name] = numbers.uniform(
        input.value.type.elementCount, in: isPositive ? 0.5...0.9 : -0.3...0.3)
    }
    return (graph, inputs)
  }

  /// The optimiser's steps are signs, so an error of rounding in the gradient shows only where the
  /// gradient is zero; the gradient itself is among the outputs.
  @Test("agree with the interpreter over a whole iteration", arguments: examples)
  func agree(example: Example) throws {
    let (graph, inputs) = try Self.iteration(example.network)
    for threads in [1, 2] {
      try expectAgreement(
        graph, inputs, .double, threads: threads, tolerance: 1e-11, example.description)
      try expectAgreement(
        graph, inputs, .single, threads: threads, tolerance: 1e-4, example.description)
    }
  }

  @Test("give equal bits in two programs, and after parameters were bound anew")
  func deterministic() throws {
    let (graph, inputs) = try Self.iteration(Self.examples[2].network)
    var results: [[[Double]]] = []
    for round in 0..<2 {
      let program = try CPUBackend(threads: 2).compile(graph, in: .single)
      if round == 1 {
        // Other parameters first: nothing of them may remain.
        for (name, elements) in inputs { program.bind(elements.map { $0 * 0.5 + 0.1 }, to: name) }
        try program.run()
      }
      for (name, elements) in inputs { program.bind(elements, to: name) }
      var history: [[Double]] = []
      for _ in 0..<5 {
        try program.run()
        history.append(program.elements(of: "gradient") + program.elements(of: "next-input"))
      }
      results.append(history)
    }
    #expect(results[0] == results[1])
  }

  @Test("run side by side as they run alone")
  func sideBySide() async throws {
    let (graph, inputs) = try Self.iteration(Self.examples[1].network)
    let run: @Sendable () throws -> [Double] = {
      let program = try CPUBackend(threads: 1).compile(graph, in: .single)
      for (name, elements) in inputs { program.bind(elements, to: name) }
      for _ in 0..<50 { try program.run() }
      return program.elements(of: "gradient") + program.elements(of: "objective")
    }
    let alone = try run()
    try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<4 { group.addTask { try run() } }
      for try await result in group { #expect(result == alone) }
    }
  }

  @Test("say which input was never bound")
  func unbound() throws {
    let (graph, inputs) = try Self.iteration(Self.examples[0].network)
    let program = try CPUBackend(threads: 1).compile(graph, in: .single)
    for (name, elements) in inputs where name != "target" { program.bind(elements, to: name) }
    #expect(throws: BackendError("the input 'target' was never bound")) { try program.run() }
  }

  /// What the heap holds must not grow: 20 runs that kept 100 bytes each would show.
  @Test("allocate nothing that stays", .enabled(if: leak_heap_bytes() > 0))
  func allocation() throws {
    let (graph, inputs) = try Self.iteration(Self.examples[1].network)
    let program = try CPUBackend(threads: 1).compile(graph, in: .single)
    for (name, elements) in inputs { program.bind(elements, to: name) }
    for _ in 0..<3 { try program.run() }
    // Other tests move the heap meanwhile, so the smallest growth seen is the program's; the shorter
    // the look, the fewer of them are in it.
    var growth = Int64.max
    for _ in 0..<500 where growth > 0 {
      let before = leak_heap_bytes()
      for _ in 0..<20 { try program.run() }
      growth = min(growth, leak_heap_bytes() - before)
    }
    #expect(growth < 2_000)
  }
}
