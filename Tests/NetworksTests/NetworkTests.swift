import Networks
import Testing

@Suite("Network")
struct NetworkTests {
  /// Input → a → b, a → c, both into a sum, then a head.
  static let diamond = Network(
    "diamond", inputShapes: [[4]],
    nodes: [
      node("a", Dense(outputs: 6), .input(0)), node("b", Activation(.relu), .node(0)),
      node("c", Dropout(rate: 0.1), .node(0)),
      node("sum", Merge(.add), .node(1), .node(2)),
      node("head", Dense(outputs: 3), .node(3)), node("softmax", Activation(.softmax), .node(4)),
    ])

  @Test("shapes flow from the input through a chain")
  func chainOfShapes() {
    let network = Network(
      "lenet", input: [28, 28, 1],
      [
        "conv": Convolution(filters: 6, kernel: [5, 5]),
        "pool": Pooling(.maximum, window: [2, 2]), "flatten": Flatten(), "fc": Dense(outputs: 10),
      ])
    #expect(network.nodes.map(\.outputShape) == [[24, 24, 6], [12, 12, 6], [864], [10]])
    #expect(network.nodes.map(\.inputShape) == [[28, 28, 1], [24, 24, 6], [12, 12, 6], [864]])
    #expect(network.nodes.allSatisfy { $0.mismatch == nil } && network.origin == .declared)
  }

  @Test("a mismatch is recorded where it happens, and shapes behind it stay open")
  func mismatch() {
    let network = Network(
      "cut", input: [7, 7],
      ["flatten": Flatten(), "a": Dense(outputs: 4, inputs: 50), "b": Dense(outputs: 2)])
    #expect(network.nodes.map { $0.mismatch != nil } == [false, true, false])
    #expect(network.nodes[1].mismatch?.found == [49])
    #expect(network.nodes[1].inputShape == [49] && network.nodes[1].outputShape == nil)
    #expect(network.nodes[2].inputShape == nil)
  }

  @Test("an input that does not exist and a layer ahead leave shapes open")
  func openSources() {
    let network = Network(
      "open", inputShapes: [[4]],
      nodes: [node("a", Dense(outputs: 2), .input(3)), node("b", Dense(outputs: 2), .node(2))])
    #expect(network.nodes.allSatisfy { $0.inputShape == nil && $0.outputShape == nil })
  }

  @Test(
    "a merge gives the shape its framework documents",
    arguments: [
      (.add, [[4], [4]], [4]), (.concatenate(axis: -1), [[4], [5]], [9]),
      (.concatenate(axis: 1), [[7, 4], [7, 5]], [7, 9]),
      (.concatenate(axis: 0), [[7, 4], [3, 4], [nil, 4]], [nil, 4]),
      (.concatenate(axis: -1), [[4], [nil]], [nil]),
      (.multiply, [[6, 5, 8], [1, 1, 8]], [6, 5, 8]), (.average, [[5, 8], [8]], [5, 8]),
      (.maximum, [[nil, 8], [3, 1]], [3, 8]), (.dot(axes: [0, 0]), [[4], [4]], [1]),
      (.dot(axes: [1, 1]), [[2, 4], [5, 4]], [2, 5]), (.unstated("Gate"), [[4], [4]], nil),
    ] as [(Merge.Operation, [Shape], Shape?)])
  func merges(operation: Merge.Operation, arriving: [Shape], leaving: Shape?) {
    let node = Self.merged(operation, arriving)
    #expect(node.outputShape == leaving && node.mismatch == nil)
  }

  @Test(
    "shapes that cannot meet are a mismatch, not a guess",
    arguments: [
      (.add, [[4], [5]]), (.multiply, [[6, 5, 8], [6, 4, 8]]),
      (.concatenate(axis: -1), [[4], [7, 5]]), (.concatenate(axis: 0), [[2, 4], [2, 5]]),
      (.concatenate(axis: 2), [[2, 4], [2, 4]]), (.dot(axes: [1, 0]), [[2, 4], [5, 4]]),
      (.dot(axes: [0]), [[4], [4]]),
    ] as [(Merge.Operation, [Shape])])
  func misfits(operation: Merge.Operation, arriving: [Shape]) {
    let node = Self.merged(operation, arriving)
    #expect(node.outputShape == nil && node.mismatch != nil)
  }

  private static func merged(_ operation: Merge.Operation, _ arriving: [Shape]) -> Network.Node {
    Network(
      "merge", inputShapes: arriving,
      nodes: [
        Network.Node(
          name: "m", layer: Merge(operation), sources: arriving.indices.map { .input($0) })
      ]
    ).nodes[0]
  }

  @Test("the way from the input stops at a merge")
  func chainTo() {
    #expect(Self.diamond.chain(to: 0) == [])
    #expect(Self.diamond.chain(to: 1) == [0])
    #expect(Self.diamond.chain(to: 3) == nil)
    #expect(Self.diamond.chain(to: 5) == nil)
  }

  @Test("the way to the output stops at a fork and at a merge")
  func chainFrom() {
    #expect(Self.diamond.chain(from: 0) == [])
    #expect(Self.diamond.chain(from: 1) == [])
    #expect(Self.diamond.chain(from: 3) == [4, 5])
    #expect(Self.diamond.chain(from: 5) == [])
    #expect(Self.diamond.consumers(of: 0) == [1, 2])
    #expect(Self.diamond.nodes.indices.filter { Self.diamond.isLast($0) } == [5])
  }

  @Test("a layer that reads a later one has no way from the input")
  func backwards() {
    let network = Network(
      "loop", inputShapes: [[4]],
      nodes: [node("a", Flatten(), .node(1)), node("b", Flatten(), .node(0))])
    #expect(network.chain(to: 0) == nil && network.chain(to: 1) == nil)
  }

  @Test("only sums of past gradients are linear in them")
  func slots() {
    let slots: [OptimizerSummary.Slot] = [
      .accumulatedGradient, .firstMoment, .momentum, .other, .secondMoment,
    ]
    #expect(slots.filter(\.isLinearInGradients) == [.accumulatedGradient, .firstMoment, .momentum])
    #expect(slots.shuffled().sorted() == slots)
  }
}

private func node(
  _ name: String, _ layer: any Layer, _ sources: Network.Source...
) -> Network.Node {
  Network.Node(name: name, layer: layer, sources: sources)
}
