import TensorIR
import Testing

@Suite("Batched programs")
struct BatchedTests {
  private static let members = 3

  /// Runs `graph` once per member and lays the results side by side.
  private func stacked(
    _ graph: Graph, batched: [[Double]?], shared: [[Double]]
  ) -> [[Double]] {
    let inputs = graph.inputs.map(\.value)
    var stacks = graph.outputs.map { _ in [Double]() }
    for member in 0..<Self.members {
      let bound = inputs.indices.map { index in
        let count = inputs[index].type.elementCount
        return batched[index].map { Array($0[member * count..<(member + 1) * count]) }
          ?? shared[index]
      }
      let results = ReferenceInterpreter().evaluate(
        graph.outputs.map(\.value), in: graph,
        inputs: Dictionary(uniqueKeysWithValues: zip(inputs, bound)))
      for (index, result) in results.enumerated() { stacks[index] += result }
    }
    return stacks
  }

  /// Every non-empty choice of inputs to batch gives what single runs give.
  private func check(
    _ graph: Graph, tolerance: Double = 1e-12, _ draw: (inout SplitMix64) -> [[Double]]
  ) throws {
    var generator = SplitMix64(seed: 5)
    let inputs = graph.inputs
    let shared = draw(&generator)
    let many = (0..<Self.members).map { _ in draw(&generator) }
    for choice in 1..<(1 << inputs.count) {
      let chosen = inputs.indices.filter { choice >> $0 & 1 == 1 }
      let bound: [[Double]?] = inputs.indices.map { index in
        chosen.contains(index) ? many.flatMap { $0[index] } : nil
      }
      let batched = graph.batched(
        inputs: Set(chosen.map { inputs[$0].name }), extent: Self.members)
      try batched.verify()
      let expected = stacked(graph, batched: bound, shared: shared)
      let results = ReferenceInterpreter().evaluate(
        batched.outputs.map(\.value), in: batched,
        inputs: Dictionary(
          uniqueKeysWithValues: batched.inputs.enumerated().map { index, input in
            (input.value, bound[index] ?? shared[index])
          }))
      for (index, output) in graph.outputs.enumerated() {
        let type = batched.outputs[index].value.type
        if type.shape == output.value.type.shape {
          let copies = (0..<Self.members).flatMap { _ in results[index] }
          #expect(distance(copies, expected[index]) <= tolerance, "\(output.name) \(chosen)")
        } else {
          #expect(type.shape == [Self.members] + output.value.type.shape)
          #expect(
            distance(results[index], expected[index]) <= tolerance, "\(output.name) \(chosen)")
        }
      }
    }
  }

  private func program(_ subject: PrimitiveCase) -> (graph: Graph, result: Value) {
    var graph = Graph()
    let inputs = subject.operands.enumerated().map { graph.input("x\($0)", $1.type) }
    let result = graph.apply(subject.primitive, inputs)
    graph.output("y", result)
    return (graph, result)
  }

  @Test(
    "every primitive equals its single runs, whichever operands differ",
    arguments: PrimitiveCase.all)
  func primitives(_ subject: PrimitiveCase) throws {
    try check(program(subject).graph) { $0.elements(for: subject) }
  }

  @Test("derivatives equal their single runs", arguments: PrimitiveCase.differentiable)
  func derivatives(_ subject: PrimitiveCase) throws {
    var (graph, result) = program(subject)
    let inputs = graph.inputs.map(\.value)
    let moving = subject.moving.map { inputs[$0] }
    let seed = graph.input("seed", result.type)
    let gradients = graph.pullback(of: [(result, seed)], to: moving)
    let directions = Dictionary(
      uniqueKeysWithValues: moving.map { value in
        (value, graph.table(graph.ramp(value.type), value.type))
      })
    for (index, gradient) in gradients.enumerated() {
      graph.output("g\(index)", gradient)
      graph.output("h\(index)", graph.pushforward(of: gradient, along: directions))
    }
    try check(graph) { $0.elements(for: subject) + [$0.elements(seed.type)] }
  }

  @Test("a batch of batches equals its single runs", arguments: PrimitiveCase.all)
  func nested(_ subject: PrimitiveCase) throws {
    let graph = program(subject).graph
    for name in graph.inputs.map(\.name) {
      // The inner axis on one operand, the outer on any.
      let inner = graph.batched(inputs: [name], extent: 2)
      try check(inner) { generator in
        let pairs = (0..<2).map { _ in generator.elements(for: subject) }
        return graph.inputs.enumerated().map { index, input in
          input.name == name ? pairs.flatMap { $0[index] } : pairs[0][index]
        }
      }
    }
  }

  @Test("random programs and their derivatives equal their single runs", arguments: 0..<15)
  func randomPrograms(_ seed: UInt64) throws {
    var program = RandomProgram(seed: seed, steps: 20, isRaw: seed.isMultiple(of: 2))
    if seed.isMultiple(of: 3) { program.differentiate() }
    // Carried outputs have a test of their own.
    let bare = try Graph(
      parsing: program.graph.description.replacing(#/ carried into %\d+/#, with: ""))
    try check(bare, tolerance: 1e-11) { generator in
      bare.inputs.map { generator.elements($0.value.type) }
    }
  }

  @Test("what does not depend on a batched input stays as it is")
  func independence() {
    var graph = Graph()
    let x = graph.input("x", TensorType([2]))
    let w = graph.input("w", TensorType([2]), .parameter)
    graph.output("shared", graph.apply(Tanh(), w))
    graph.output("own", graph.apply(Multiply(), x, w))
    let batched = graph.batched(inputs: ["x"], extent: 4)
    #expect(batched.output(named: "shared")?.type == TensorType([2]))
    #expect(batched.output(named: "own")?.type == TensorType([4, 2]))
    #expect(batched.input(named: "w")?.type == TensorType([2]))
    #expect(batched.inputs.map(\.kind) == [.argument, .parameter])
  }

  @Test("a carried result and its input gain the axis together")
  func carriedState() throws {
    var graph = Graph()
    let x = graph.input("x", TensorType([2]))
    let state = graph.input("state", TensorType([2]))
    let other = graph.input("other", TensorType([2]))
    let step = graph.input("step", .scalar)
    let next = graph.apply(Add(), x, state)
    graph.output("next", next, carriedInto: state)
    // Reached only through the state of the next run.
    graph.output("chain", graph.apply(Tanh(), state), carriedInto: other)
    graph.output("count", graph.apply(Add(), step, graph.constant(1)), carriedInto: step)
    let batched = graph.batched(inputs: ["x"], extent: 4)
    try batched.verify()
    #expect(batched.input(named: "state")?.type == TensorType([4, 2]))
    #expect(batched.input(named: "other")?.type == TensorType([4, 2]))
    #expect(batched.input(named: "step")?.type == .scalar)
    let reset = graph.batched(inputs: ["other"], extent: 4)
    try reset.verify()
    #expect(reset.output(named: "chain")?.type == TensorType([4, 2]))
    #expect(reset.output(named: "next")?.type == TensorType([2]))
  }
}

extension Graph {
  /// Elements that differ from each other.
  fileprivate func ramp(_ type: TensorType) -> [Double] {
    (0..<type.elementCount).map { Double($0 + 1) / Double(type.elementCount) - 0.4 }
  }
}
