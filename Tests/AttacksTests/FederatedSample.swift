import Attacks
import AuditModel
import CPUBackend
import Foundation
import Networks
import TensorIR
import Tensors

/// A client, what it sent, and a candidate for its inputs.
struct FederatedSample {
  let network: Network
  var weights: ParameterTable
  var observed: ParameterTable
  let labels: [Int]
  let plan: FederatedPlan
  var loss = Loss.softmaxCrossEntropy(smoothing: 0)
  let candidate: [Double]
  /// The inputs behind ``observed``.
  let truth: [Double]

  /// Two passes over five samples in batches of 2, 2 and 1.
  static let uneven = FederatedPlan(samples: 5, batchSize: 2, steps: 6, learningRate: 0.3)

  static let dense = Network(
    "mlp", input: [7],
    [
      "a": Dense(outputs: 6), "b": Activation(.tanh), "c": Dense(outputs: 5),
      "d": Activation(.softplus), "e": Dense(outputs: 4),
    ])

  /// The network of `Tests/Fixtures/federated`.
  static func convolutional(outputs: Int = 4, isFirst: Bool = true) -> Network {
    Network(
      "cnn", input: isFirst ? [2, 6, 6] : [6, 6, 2],
      [
        "a": Convolution.square(3, 3, stride: 2, padding: 1, isFirst: isFirst),
        "b": BatchNormalization(axis: isFirst ? 0 : 2), "c": Activation(.sigmoid),
        "d": Flatten(), "e": Dense(outputs: outputs),
      ])
  }

  /// Everything drawn: weights, the inputs behind the observed update, and the candidate.
  init(
    _ network: Network, _ plan: FederatedPlan = FederatedSample.uneven, seed: UInt64 = 3
  ) throws {
    self.network = network
    self.plan = plan
    let samples = plan.batches.map(\.upperBound).max() ?? 0
    labels = (0..<samples).map { ($0 * 3 + 1) % 4 }
    weights = try network.initialParameters(.pyTorch, seed: seed, statistics: .drawn)
    var random = SplitMix64(seed: seed + 1)
    let count = samples * (network.inputShapes[0].elementCount ?? 0)
    truth = (0..<count).map { _ in random.uniform(0, 1) }
    candidate = (0..<count).map { _ in random.uniform(0, 1) }
    observed = weights
    observed = try objective().sent(by: truth, self)
  }

  func objective(
    _ distance: GradientMatching.Distance = .cosine, totalVariation: Double = 0,
    keys: Set<ParameterTable.Key>? = nil, snapshots: Int = 8, in precision: Precision = .double
  ) throws -> FederatedObjective {
    try FederatedObjective(
      network: network, weights: weights, observed: observed, keys: keys, labels: labels,
      plan: plan, distance: distance, totalVariation: totalVariation, loss: loss,
      backend: CPUBackend(threads: 1), precision: precision, snapshots: snapshots)
  }

  /// Trainable parameters in node order.
  func parameters() throws -> [GraphParameter] {
    try network.graph(samples: 1).trainable
  }
}

extension FederatedObjective {
  /// What the client would send, as a table.
  func sent(by inputs: [Double], _ sample: FederatedSample) throws -> ParameterTable {
    sample.network.table(
      of: try update(of: inputs), for: try sample.parameters(), in: sample.weights.convention)
  }
}

/// One case of `Tests/Fixtures/federated/federated.json`.
struct FederatedFixture: Decodable {
  var outputs: Int
  var labels: [Int]
  var batches: [[Int]]
  var rate: Double
  var smoothing: Double
  var distance: String
  var total_variation: Double
  /// Empty for all.
  var compared: [String]
  var parameters: [String: [Double]]
  var x: [Double]
  var observed: [String: [Double]]
  var update: [String: [Double]]
  var objective: Double
  var gradient: [Double]

  static func read() throws -> [String: FederatedFixture] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/federated/federated.json")
    return try JSONDecoder().decode([String: FederatedFixture].self, from: Data(contentsOf: file))
  }

  var network: Network { FederatedSample.convolutional(outputs: outputs) }

  /// What PyTorch calls a parameter.
  func key(_ name: String) -> ParameterTable.Key? {
    let parts = name.split(separator: ".").map(String.init)
    guard let node = network.nodes.firstIndex(where: { $0.name == parts[0] }) else { return nil }
    let isNormalization = network.nodes[node].layer is BatchNormalization
    let role: ParameterRole? =
      switch parts[1] {
      case "weight": isNormalization ? .scale : .weight
      case "bias": isNormalization ? .shift : .bias
      case "running_mean": .runningMean
      case "running_var": .runningVariance
      default: nil
      }
    return role.map { ParameterTable.Key(node: node, role: $0) }
  }

  /// Numbers in PyTorch's order as a table.
  func table(_ elements: [String: [Double]]) throws -> ParameterTable {
    let network = network
    let parameters = try network.graph(samples: 1).parameters
    var table = ParameterTable(convention: .channelsFirst)
    for (name, elements) in elements {
      guard let key = key(name), let parameter = parameters.first(where: { $0.key == key })
      else { continue }
      table[key.node, key.role] = Tensor(
        elements, shape: network.arrangement(of: parameter, in: .channelsFirst).tableShape)
    }
    return table
  }
}
