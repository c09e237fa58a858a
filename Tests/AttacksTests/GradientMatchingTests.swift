import Attacks
import AuditModel
import Networks
import TensorIR
import Testing

@Suite("Gradient matching")
struct GradientMatchingTests {
  static let networks: [Network] = [
    Network(
      "mlp", input: [24],
      [
        "a": Dense(outputs: 20), "b": Activation(.tanh), "c": Dense(outputs: 16),
        "d": Dense(outputs: 3),
      ]
    ),
    Network(
      "cnn", input: [2, 6, 6],
      [
        "a": Convolution(
          filters: 4, kernel: [3, 3], stride: [2, 2], padding: .explicit([1, 1]),
          channelsFirst: true),
        "b": BatchNormalization(axis: 0), "c": Activation(.sigmoid),
        "d": Pooling(.maximum, window: [2, 2], stride: [1, 1], channelsFirst: true),
        "e": Flatten(), "f": Dense(outputs: 3),
      ]),
    // The biases of both branches have one and the same gradient.
    Network(
      "branches", inputShapes: [[5]],
      nodes: [
        Network.Node(name: "a", layer: Dense(outputs: 6), sources: [.input(0)]),
        Network.Node(name: "b", layer: Dense(outputs: 6), sources: [.input(0)]),
        Network.Node(name: "sum", layer: Merge(.add), sources: [.node(0), .node(1)]),
        Network.Node(name: "c", layer: Activation(.tanh), sources: [.node(2)]),
        Network.Node(name: "d", layer: Dense(outputs: 3), sources: [.node(3)]),
      ]),
  ]

  /// The slope of the objective in a random direction is its central difference: the mixed product,
  /// the distance and the total variation are right together.
  @Test(
    "the gradient is the slope of the objective", arguments: networks,
    GradientMatching.Distance.allCases)
  func slope(network: Network, distance: GradientMatching.Distance) throws {
    var matching = GradientMatching()
    matching.distance = distance
    matching.totalVariation = network.inputShapes[0].count == 3 ? 0.03 : 0
    let samples = 2
    let graph = try matching.iteration(
      of: network, samples: samples, loss: .softmaxCrossEntropy(smoothing: 0))
    try graph.verify()
    var random = SplitMix64(seed: 7)
    var bindings = Bindings(graph, &random)
    let x = try #require(bindings.values["input"])
    let direction = x.map { _ in Double.random(in: -1...1, using: &random) }
    let gradient = try bindings.output("gradient", of: graph)
    let exact = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
    let step = 1e-5
    var objectives: [Double] = []
    for sign in [1.0, -1] {
      bindings.values["input"] = zip(x, direction).map { $0 + sign * step * $1 }
      objectives.append(try bindings.output("objective", of: graph)[0])
    }
    let difference = (objectives[0] - objectives[1]) / (2 * step)
    // Truncation is of order step², rounding of order 1e-16 / step.
    #expect(abs(exact - difference) <= 1e-7 * max(abs(exact), 1))
  }

  /// The sign of the gradient has magnitude one, and so have Adam's corrected averages of it.
  @Test("the first signed step moves every coordinate by the learning rate")
  func firstStep() throws {
    let graph = try GradientMatching().iteration(
      of: Self.networks[1], samples: 1, loss: .softmaxCrossEntropy(smoothing: 0))
    var random = SplitMix64(seed: 3)
    var bindings = Bindings(graph, &random)
    bindings.values["learning-rate"] = [0.1]
    for name in ["momentum", "variance"] {
      bindings.values[name] = bindings.values[name]?.map { _ in 0 }
    }
    for name in ["first-power", "second-power"] { bindings.values[name] = [1] }
    let x = try #require(bindings.values["input"])
    let gradient = try bindings.output("gradient", of: graph)
    let next = try bindings.output("next-input", of: graph)
    for index in x.indices {
      let expected = gradient[index] == 0 ? 0 : gradient[index] > 0 ? -0.1 : 0.1
      #expect(abs(next[index] - x[index] - expected) < 1e-8)
    }
  }

  @Test("no dense weight gradient is written out for one sample")
  func lowRank() throws {
    let graph = try GradientMatching().iteration(
      of: Self.networks[0], samples: 1, loss: .softmaxCrossEntropy(smoothing: 0))
    let written = graph.nodes.filter { node in
      guard case .primitive = node.origin else { return false }
      // The observed norm depends on parameters alone; ⟨g*, g*⟩ is taken once.
      return node.type.shape == [24, 20]
    }
    #expect(written.count <= 1)
  }
}

/// Elements for every input of a graph.
private struct Bindings {
  var values: [String: [Double]] = [:]

  init(_ graph: Graph, _ random: inout SplitMix64) {
    for input in graph.inputs {
      // Variances and the optimiser's state are positive.
      let isPositive = input.name.contains("ariance") || input.name.contains("power")
      values[input.name] = (0..<input.value.type.elementCount).map { _ in
        Double.random(in: isPositive ? 0.5...0.9 : -0.8...0.8, using: &random)
      }
    }
  }

  func output(_ name: String, of graph: Graph) throws -> [Double] {
    let bound = Dictionary(
      uniqueKeysWithValues: graph.inputs.map { ($0.value, values[$0.name] ?? []) })
    let value = try #require(graph.output(named: name))
    return ReferenceInterpreter().evaluate(value, in: graph, inputs: bound)
  }
}
