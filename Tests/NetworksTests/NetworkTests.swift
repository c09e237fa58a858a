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
      node("sum", Merge(operation: "Add"), .node(1), .node(2)),
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
    "a merge joins the shapes that arrive",
    arguments: [
      ("Add", [[4], [4]], [4]), ("Concatenate", [[4], [5]], [9]),
      ("concatenate", [[7, 4], [7, 5]], [7, 9]), ("Concatenate", [[4], [nil]], nil),
      ("Concatenate", [[4], [7, 5]], nil), ("Dot", [[4], [4]], nil),
    ] as [(String, [Shape], Shape?)])
  func merges(operation: String, arriving: [Shape], leaving: Shape?) {
    let network = Network(
      "merge", inputShapes: arriving,
      nodes: [
        Network.Node(
          name: "m", layer: Merge(operation: operation),
          sources: arriving.indices.map { .input($0) })
      ])
    #expect(network.nodes[0].outputShape == leaving && network.nodes[0].mismatch == nil)
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
