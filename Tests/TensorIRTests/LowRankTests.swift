import TensorIR
import Testing

@Suite("Products of few rows")
struct LowRankTests {
  /// A weight gradient of rank 2 in every role that gradient matching has for one.
  private func program(_ leading: [Int]) -> Graph {
    var graph = Graph()
    let a = graph.input("a", TensorType(leading + [20]))
    let b = graph.input("b", TensorType(leading + [30]))
    let target = graph.input("target", TensorType([20, 30]), .parameter)
    let y = graph.input("y", TensorType([3, 20]))
    let z = graph.input("z", TensorType([3, 30]))
    let scale = graph.input("scale", .scalar)
    let axes = Array(leading.indices)
    let gradient = graph.apply(
      DotGeneral(leftContracting: axes, rightContracting: axes), a, b)
    let difference = graph.apply(Subtract(), gradient, target)
    let everywhere = graph.apply(BroadcastInDim(shape: [20, 30], axes: []), scale)
    let scaled = graph.apply(Multiply(), everywhere, difference)
    let direction = graph.apply(Add(), graph.apply(Negate(), gradient), scaled)
    let sum = Reduce(.sum, axes: [0, 1])
    let square = graph.apply(sum, graph.apply(Multiply(), difference, difference))
    let inner = graph.apply(sum, graph.apply(Multiply(), gradient, target))
    let norm = graph.apply(sum, graph.apply(Multiply(), gradient, gradient))
    let mixed = graph.apply(sum, graph.apply(Multiply(), scaled, target))
    graph.output("square", square)
    graph.output("inner", inner)
    graph.output("norm", norm)
    graph.output("mixed", mixed)
    graph.output("forward", graph.apply(DotGeneral.matrix(leftRank: 2), y, direction))
    graph.output(
      "backward",
      graph.apply(DotGeneral(leftContracting: [1], rightContracting: [1]), z, direction))
    return graph
  }

  @Test("outputs keep their values, and the matrix is never written", arguments: [[2], [1, 2]])
  func values(_ leading: [Int]) throws {
    let graph = program(leading)
    let factored = graph.factoringLowRankProducts()
    try factored.verify()
    var generator = SplitMix64(seed: 6)
    let elements = graph.inputs.map { generator.elements($0.value.type) }
    func run(_ graph: Graph) -> [[Double]] {
      ReferenceInterpreter().evaluate(
        graph.outputs.map(\.value), in: graph,
        inputs: Dictionary(uniqueKeysWithValues: zip(graph.inputs.map(\.value), elements)))
    }
    for (ours, theirs) in zip(run(factored), run(graph)) {
      #expect(distance(ours, theirs) <= 1e-12)
    }
    #expect(!factored.nodes.indices.contains { factored.isOuterProduct($0) }, "\(factored)")
  }

  @Test("a matrix that leaves the program is written")
  func output() {
    var graph = program([2])
    guard let index = graph.nodes.indices.first(where: { graph.isOuterProduct($0) }) else {
      Issue.record("no product in \(graph)")
      return
    }
    graph.output("gradient", graph.value(index))
    let factored = graph.factoringLowRankProducts()
    #expect(factored.nodes.indices.contains { factored.isOuterProduct($0) })
  }

  @Test("random programs keep their values", arguments: 0..<40)
  func randomPrograms(_ seed: UInt64) {
    var program = RandomProgram(seed: seed, steps: 30, isRaw: seed.isMultiple(of: 2))
    program.differentiate()
    let factored = program.graph.factoringLowRankProducts()
    for (ours, theirs) in zip(program.evaluate(factored), program.evaluate(program.graph)) {
      #expect(distance(ours, theirs) <= 1e-11)
    }
  }
}

extension Graph {
  fileprivate func isOuterProduct(_ index: Int) -> Bool {
    nodes[index].type == TensorType([20, 30])
      && application(value(index), of: DotGeneral.self) != nil
  }
}
