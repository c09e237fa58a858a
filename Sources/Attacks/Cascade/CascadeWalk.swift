internal import AuditModel
package import Networks
package import TensorIR
internal import Tensors

/// The walk from a recovered dense layer down to the model input.
///
/// Values are visited in reverse order of computation. For each, the loss gradient comes from the
/// layers that read it, and its entries from everything that is linear in them: the weight gradients
/// of the layers that read it, and what is known further up. The walk ends at the first value that is
/// needed and does not follow.
package final class CascadeWalk {
  let observation: Observation
  /// What was dropped from the gradient, if entries were.
  let sparsity: Sparsity?
  let network: Network
  package let programs: LayerPrograms
  /// The dense layer whose input and output gradient are known.
  package let start: Int
  let nodes: Set<Int>
  /// Loss gradients, held like the maps.
  package internal(set) var gradients: [Network.Source: [Double]] = [:]
  /// Relative errors of ``gradients``.
  var gradientErrors: [Network.Source: Double] = [:]
  /// What is known of values.
  package var maps: [Network.Source: KnownMap] = [:]
  var steps: [ChainSummary.Step] = []
  package internal(set) var stop: CascadeStop?
  /// Determined maps, in the order in which they were found.
  package internal(set) var determined: [Network.Source] = []
  /// The value at which the equations were too few.
  var openSource: Network.Source?
  /// Channels of one activation that are to be repaired.
  var suspicion: Suspicion?
  /// Signs of activations that the gradients of biases corrected.
  package var corrections = 0
  /// Solutions before they were brought into the range of their function.
  package var unrestricted: [Network.Source: [Double]] = [:]
  /// Layers whose weight gradient is zero throughout or holds NaN or infinity, and is left out.
  var leftOut: Set<Int> = []
  /// Along each axis, at how many places the last map may begin, because padding is circular.
  var ring = [1, 1]
  /// A picture that is about right, while one leads through maxima.
  var approach: [Double]?
  private var layers: [Int: Segment] = [:]
  let progress: (String) -> Void

  package init(
    _ observation: Observation, start: Int, input: KnownMap, outputGradient: [Double],
    sparsity: Sparsity? = nil, on backend: any Backend, progress: @escaping (String) -> Void
  ) throws(CascadeStop) {
    self.observation = observation
    self.sparsity = sparsity
    self.progress = progress
    network = observation.network
    self.start = start
    programs = try LayerPrograms(
      network, weights: observation.weights, upTo: start, on: backend)
    var reached: Set<Int> = [start]
    for node in (0...start).reversed() where reached.contains(node) {
      for case .node(let before) in network.nodes[node].sources { reached.insert(before) }
    }
    nodes = reached
    gradients[.node(start)] = outputGradient
    let size = (observation.gradient.bias(start) ?? []).rootMeanSquareOrZero
    gradientErrors[.node(start)] =
      size > 0 ? max(observation.roundingError(start, .bias) / size, 0x1p-53) : 0x1p-24
    guard let source = network.nodes[start].sources.first else {
      throw CascadeStop("the layer reads nothing", at: start)
    }
    maps[source] = input
    determined = [source]
  }

  /// Walks as far as the equations go.
  package func run() {
    do throws(CascadeStop) {
      for node in (0..<start).reversed() where nodes.contains(node) { try visit(.node(node)) }
      try visit(.input(0))
    } catch {
      stop = error
    }
  }

  /// Multiply-adds of one forward pass up to the dense layer, for one sample.
  var multiplyAdds: Int {
    nodes.reduce(0) { total, node in
      guard let source = network.nodes[node].sources.first,
        let site = KernelSite(
          node, of: network, input: programs.shape(of: source),
          output: programs.shape(of: .node(node)))
      else { return total }
      return total + site.outputPlaces * site.equationsPerChannel * site.inputs
    }
  }

  /// Takes back a map whose sign pattern contradicts the gradients of biases, and what was determined
  /// with it.
  package func withdraw(_ source: Network.Source) {
    let place = determined.firstIndex(of: source) ?? determined.endIndex
    for wrong in determined[place...] + [source] {
      maps[wrong] = nil
      let layer = readers(of: wrong).first.map { network.nodes[$0].name }
      guard let row = steps.lastIndex(where: { $0.layer == layer && $0.outcome == .exact }) else {
        continue
      }
      steps[row].outcome = .stopped
      steps[row].relativeError = nil
      steps[row].note = "too inexact for the signs of its entries"
    }
    determined.removeSubrange(place...)
    openSource = source
  }

  /// The determined map nearest to the input, if it is known better than to a thousandth.
  var deepestFeatures: (node: Int, values: [Double])? {
    for source in determined.reversed() {
      guard case .node(let node) = source, let map = maps[source], map.isComplete,
        map.errors.rootMeanSquareOrZero < 1e-3 * map.values.rootMeanSquareOrZero
      else { continue }
      return (node, map.values)
    }
    return nil
  }

  /// Other determined maps to which a way leads from the input past a map and past each other: the sum
  /// behind a block whose inside is the deepest map.
  package func companions(of source: Network.Source) -> [Network.Source] {
    var reached: Set<Network.Source> = [.input(0)]
    var result: [Network.Source] = []
    for node in nodes.sorted()
    where node < start && network.nodes[node].sources.contains(where: reached.contains) {
      let output = Network.Source.node(node)
      if maps[output]?.isComplete != true {
        reached.insert(output)
      } else if output != source {
        result.append(output)
      }
    }
    return result
  }

  /// Whether the model input itself is determined.
  var reachesInput: Bool { maps[.input(0)]?.isComplete == true }

  func readers(of source: Network.Source) -> [Int] {
    switch source {
    case .node(let node): network.consumers(of: node)
    case .input: network.nodes.indices.filter { network.nodes[$0].sources.contains(source) }
    }
  }

  func layer(_ node: Int) throws(CascadeStop) -> Segment {
    if let known = layers[node] { return known }
    let made = try programs.layer(node)
    layers[node] = made
    return made
  }

  /// Gives back the memory of layers' programs; they are made again where they are needed.
  func releasePrograms() { layers = [:] }

  func linearity(_ node: Int) -> LayerLinearity { LayerLinearity(network.nodes[node].layer) }

  func name(_ source: Network.Source) -> String {
    switch source {
    case .node(let node): "the output of '\(network.nodes[node].name)'"
    case .input: "the model input"
    }
  }
}
