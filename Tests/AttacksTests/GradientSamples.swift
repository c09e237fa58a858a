import Attacks
import CPUBackend
import Networks
import TensorIR
import Tensors

/// A network with drawn weights, drawn pictures, and the gradient that they cause.
struct GradientSample {
  let network: Network
  /// Rounded to single precision, as files hold weights.
  let weights: ParameterTable
  /// As `Double` computes it.
  let gradient: ParameterTable
  /// One per sample, in the order of axes that the network declares.
  let inputs: [[Double]]

  /// - Parameters:
  ///   - network: Ending in logits.
  ///   - initialization: Of the weights; normalisation statistics are drawn too.
  ///   - convention: The axis order of both tables.
  ///   - samples: How many pictures the loss is the mean over.
  ///   - mode: Whether batch statistics or stored ones normalise.
  ///   - seed: Of everything that is drawn.
  ///   - change: What becomes of a weight that was drawn.
  /// - Throws: If the graph cannot be built or run.
  init(
    _ network: Network, _ initialization: Initialization = .pyTorch,
    convention: ParameterTable.Convention = .channelsFirst, samples: Int = 1,
    mode: ForwardPass.Mode = .inference, seed: UInt64 = 5,
    changing change: (ParameterTable.Key, Double) -> Double = { _, weight in weight }
  ) throws {
    self.network = network
    let graph = try network.gradientGraph(
      samples: samples, loss: .softmaxCrossEntropy(), mode: mode)
    let forward = try network.graph(samples: 1).parameters
    let drawn = try network.initialParameters(initialization, seed: seed, statistics: .drawn)
    let elements = try network.elements(of: forward, from: drawn)
    weights = network.table(of: elements, for: forward, in: convention).mapped(.float32, change)
    let program = try CPUBackend(threads: 1).compile(graph.graph, in: .double)
    for parameter in graph.parameters.map(\.parameter) + graph.constants {
      program.bind(try network.elements(of: [parameter], from: weights)[0], to: parameter.name)
    }
    var generator = SplitMix64(seed: seed + 100)
    let count = graph.inputs[0].type.elementCount / samples
    inputs = (0..<samples).map { _ in (0..<count).map { _ in generator.uniform(0, 1) } }
    let classes = graph.target.type.elementCount / samples
    program.bind(inputs.flatMap { $0 }, to: "input")
    program.bind(
      (0..<samples * classes).map { $0 % classes == ($0 / classes + 1) % classes ? 1 : 0 },
      to: "target")
    try program.run()
    gradient = network.table(
      of: graph.parameters.map { program.elements(of: "gradient/" + $0.parameter.name) },
      for: graph.parameters.map(\.parameter), in: convention)
  }

  /// What an attacker sees of it, rounded to a format.
  func observation(_ kind: ElementKind = .float32) -> Observation {
    observation(of: gradient.mapped(kind) { _, x in x })
  }

  /// What an attacker sees of a gradient that was altered.
  func observation(of gradient: ParameterTable) -> Observation {
    Observation(
      network: network, weights: weights, gradient: gradient, source: .gradient,
      sourceName: "gradient (test)", sign: 1, batchSize: inputs.count, reduction: .mean, steps: 1,
      isTrainingMode: false, rounding: gradient.rounding())
  }
}

extension ParameterTable {
  /// Every entry of every tensor changed and rounded to a format.
  func mapped(
    _ kind: ElementKind, _ change: (Key, Double) -> Double
  ) -> ParameterTable {
    var table = ParameterTable(convention: convention)
    for key in keys {
      guard let tensor = self[key.node, key.role] else { continue }
      table[key.node, key.role] = Tensor(
        tensor.elements().map { kind.rounded(change(key, $0)) }, shape: tensor.shape,
        resolution: kind)
    }
    return table
  }

  /// The same without one tensor.
  func without(_ node: Int, _ role: ParameterRole) -> ParameterTable {
    var table = self
    table[node, role] = nil
    return table
  }
}

extension Observation {
  /// What all attacks find, with graphs on the processor.
  func attacked(timeLimit: Double? = nil) -> Knowledge {
    AttackCatalog.run(on: self, backend: CPUBackend(threads: 1), timeLimit: timeLimit)
  }
}

extension Knowledge {
  /// What the cascade says about the first layer, if it says anything.
  var picture: Recovery? { recoveries.values.first { $0.method == "cascade" } }
}
