internal import Attacks
internal import Networks
internal import TensorIR

/// What a network makes of one sample in front of its classifier.
///
/// Normalisation uses stored statistics, also where the observed step did not: features of one sample
/// are meant, and statistics of a batch would mix them.
final class ClassifierFeatures {
  /// The most parameters in front of a classifier that are worth 8 bytes each for this comparison.
  private static let parameterLimit = 1 << 25

  private let program: any CompiledProgram
  private let count: Int

  /// - Returns: `nil` if there is no classifier behind one model input, the network in front of it is
  ///   no graph or has more than 2²⁵ parameters, or a weight is missing.
  init?(_ observation: Observation, on backend: any Backend) {
    let network = observation.network
    guard let classifier = observation.classifier, network.inputShapes.count == 1,
      network.nodes[classifier].sources.count == 1,
      case .node(let source) = network.nodes[classifier].sources[0],
      let forward = try? network.graph(samples: 1, upTo: source), forward.inputs.count == 1,
      forward.parameters.reduce(0, { $0 + $1.value.type.elementCount }) <= Self.parameterLimit,
      let elements = try? network.elements(of: forward.parameters, from: observation.weights)
    else { return nil }
    var graph = forward.graph
    guard let map = forward.featureMaps[source] else { return nil }
    graph.output("features", map.value)
    guard let program = try? backend.compile(graph, in: .double) else { return nil }
    for (parameter, values) in zip(forward.parameters, elements) {
      program.bind(values, to: parameter.name)
    }
    self.program = program
    count = forward.inputs[0].type.elementCount
  }

  /// - Parameter sample: In the model's own units and axes.
  /// - Returns: `nil` if it has another size, or the program failed.
  func callAsFunction(_ sample: [Double]) -> [Double]? {
    guard sample.count == count else { return nil }
    program.bind(sample, to: "input")
    guard (try? program.run()) != nil else { return nil }
    return program.elements(of: "features")
  }
}
