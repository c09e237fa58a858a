import Attacks
import AuditModel
import Networks
import Tensors
import Testing

/// A dense layer over the positions of one sample, average pooling, and a softmax classifier.
@Suite("Dense layers over positions")
struct PositionTests {
  private static let network = Network(
    "tokens", input: [6, 20],
    [
      "fc0": Dense(outputs: 40), "act0": Activation(.relu), "pool": Pooling(.average),
      "fc1": Dense(outputs: 5), "act1": Activation(.softmax),
    ])

  /// The observed gradient of one sample, and its positions.
  private func observation(
    _ function: ActivationFunction, batchSize: Int?, hasBias: Bool, seed: UInt64
  ) -> (Observation, [[Double]]) {
    let model = DenseModel([20, 40, 5], function, hasBias: hasBias, seed: seed)
    var numbers = SeededNumbers(state: seed + 30)
    let positions = (0..<6).map { _ in numbers.uniform(20) }
    let runs = positions.map { model.forward($0) }
    let pooled = (0..<40).map { unit in runs.reduce(0) { $0 + $1.inputs[1][unit] } / 6 }
    let head = DenseModel(levels: [model.levels[1]])
    let outer = head.gradient([pooled], [2])
    let arriving = (0..<40).map { unit in
      zip(model.levels[1].weights, outer[0].bias).reduce(0) { $0 + $1.0[unit] * $1.1 } / 6
    }
    var inner = DenseModel.LevelGradient(
      weights: (0..<40).map { _ in [Double](repeating: 0, count: 20) },
      bias: [Double](repeating: 0, count: 40))
    for (position, run) in zip(positions, runs) {
      for unit in 0..<40 {
        let value = arriving[unit] * (function.slope(run.sums[0][unit]) ?? 1)
        inner.bias[unit] += value
        for column in 0..<20 { inner.weights[unit][column] += value * position[column] }
      }
    }
    var (gradient, weights) = (
      ParameterTable(convention: .channelsLast), ParameterTable(convention: .channelsLast)
    )
    for (node, level, seen) in [(0, model.levels[0], inner), (3, model.levels[1], outer[0])] {
      gradient.set(node, seen.weights, hasBias ? seen.bias : nil, factor: 1, .float64)
      weights.set(node, level.weights, level.bias, factor: 1, .float64)
    }
    var network = Self.network
    if function == .linear { network = network.replacing("act0", by: Activation(.linear)) }
    let observation = Observation(
      network: network, weights: weights, gradient: gradient, source: .gradient,
      sourceName: "gradient (test)", sign: 1, batchSize: batchSize, reduction: .mean, steps: 1,
      rounding: gradient.rounding())
    return (observation, positions)
  }

  /// Average pooling sends the same gradient to every position, so means look like positions.
  @Test(
    "the mean of positions is never proven to be an input", arguments: [1, 4, nil], [true, false])
  func mean(batchSize: Int?, hasBias: Bool) {
    for function in [ActivationFunction.linear, .relu] {
      for seed in UInt64(1)...4 {
        let (seen, positions) = observation(
          function, batchSize: batchSize, hasBias: hasBias, seed: seed)
        let found = AttackCatalog.run(on: seen).recoveries[0]
        let isTrue = found?.samples.allSatisfy { nearest($0, in: positions).error < 1e-6 } ?? true
        #expect(isTrue || found?.isProven == false, "\(function) \(seed)")
      }
    }
  }

  @Test("the layer behind the pooling gives its input and the label")
  func head() throws {
    let (seen, _) = observation(.relu, batchSize: 1, hasBias: true, seed: 9)
    let knowledge = AttackCatalog.run(on: seen)
    #expect(knowledge.recoveries[3]?.isProven == true && knowledge.labels?.present == [2])
  }
}

extension DenseModel {
  /// Some levels of another model.
  init(levels: [Level]) {
    self.init([1, 1], .linear, seed: 0)
    self.levels = levels
  }
}

extension Network {
  /// The same chain with one layer exchanged.
  func replacing(_ name: String, by layer: any Layer) -> Network {
    Network(
      self.name, inputShapes: inputShapes,
      nodes: nodes.map {
        Node(name: $0.name, layer: $0.name == name ? layer : $0.layer, sources: $0.sources)
      })
  }
}
