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
  let network: Network
  let programs: LayerPrograms
  /// The dense layer whose input and output gradient are known.
  let start: Int
  let nodes: Set<Int>
  /// Loss gradients, held like the maps.
  var gradients: [Network.Source: [Double]] = [:]
  /// Relative errors of ``gradients``.
  var gradientErrors: [Network.Source: Double] = [:]
  /// What is known of values.
  package var maps: [Network.Source: KnownMap] = [:]
  var steps: [ChainSummary.Step] = []
  var stop: CascadeStop?
  /// Determined maps, in the order in which they were found.
  var determined: [Network.Source] = []
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
  private var layers: [Int: Segment] = [:]
  let progress: (String) -> Void

  package init(
    _ observation: Observation, start: Int, input: KnownMap, outputGradient: [Double],
    on backend: any Backend, progress: @escaping (String) -> Void
  ) throws(CascadeStop) {
    self.observation = observation
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
  func run() {
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

  /// Takes back a map whose sign pattern contradicts the gradients of biases.
  func withdraw(_ source: Network.Source) {
    maps[source] = nil
    determined.removeAll { $0 == source }
    openSource = source
    if let last = steps.indices.last {
      steps[last].outcome = .stopped
      steps[last].note = "too inexact for the signs of its entries"
    }
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

// MARK: - One value

extension CascadeWalk {
  private func visit(_ source: Network.Source) throws(CascadeStop) {
    let readers = readers(of: source)
    if let outsider = readers.first(where: { !nodes.contains($0) }) {
      throw CascadeStop(
        "\(name(source)) is also read by '\(network.nodes[outsider].name)', whose gradient is not "
          + "known", at: outsider)
    }
    if let pool = readers.first(where: { isMaximum($0) }), gradients[source] == nil {
      try leapOverMaximum(source, pool)
      return
    }
    if gradients[source] == nil { try gather(source, readers) }
    if maps[source]?.isComplete != true, needsValue(source) {
      do throws(CascadeStop) {
        try determine(source, readers)
      } catch {
        guard let suspicion else { throw error }
        withdraw(.node(suspicion.activation))
        throw contradiction(suspicion.channels.count, at: suspicion.activation)
      }
    }
    if let suspicion, readers.contains(suspicion.convolution) {
      try repair(suspicion, down: source, readers)
    }
  }

  private func isMaximum(_ node: Int) -> Bool {
    if case .maximum = linearity(node) { true } else { false }
  }

  /// Whether the layer below needs the entries themselves.
  private func needsValue(_ source: Network.Source) -> Bool {
    guard case .node(let node) = source else { return true }
    if case .elementwise = linearity(node) { return true }
    return false
  }

  /// The loss gradient of a value from those of the layers that read it.
  func gather(_ source: Network.Source, _ readers: [Int]) throws(CascadeStop) {
    var total: [Double]?
    var error = 0.0
    for reader in readers {
      let part = try pulled(through: reader, to: source)
      error = max(error, gradientErrors[.node(reader)] ?? 0)
      total = total.map { zip($0, part).map { $0 + $1 } } ?? part
    }
    guard let total else { throw CascadeStop("nothing reads \(name(source))") }
    gradients[source] = total
    gradientErrors[source] = max(error, gradientErrors[source] ?? 0)
  }

  private func pulled(
    through reader: Int, to source: Network.Source
  ) throws(CascadeStop) -> [Double] {
    guard let arriving = gradients[.node(reader)] else {
      throw CascadeStop(
        "the loss gradient behind '\(network.nodes[reader].name)' is not known", at: reader)
    }
    switch linearity(reader) {
    case .elementwise(let function):
      return try scaled(arriving, by: function, at: reader)
    case .entrywiseAffine, .rearrangement, .sum, .affine:
      let segment = try layer(reader)
      segment.linearizeAnywhere()
      let parts = try segment.pull(arriving)
      var sources: [Network.Source] = []
      for entry in network.nodes[reader].sources where !sources.contains(entry) {
        sources.append(entry)
      }
      guard let place = sources.firstIndex(of: source) else {
        throw CascadeStop("'\(network.nodes[reader].name)' does not read it", at: reader)
      }
      return parts[place]
    case .maximum, .unknown:
      throw CascadeStop(
        "no closed form leads through '\(network.nodes[reader].name)' "
          + "(\(network.nodes[reader].layer.kind))", at: reader)
    }
  }

  /// `h̄ ⊙ φ′`, with the slopes that the known outputs determine.
  private func scaled(
    _ arriving: [Double], by function: ActivationFunction, at node: Int
  ) throws(CascadeStop) -> [Double] {
    guard let map = maps[.node(node)], map.isComplete else {
      throw CascadeStop("the output of '\(network.nodes[node].name)' is not known", at: node)
    }
    var (ambiguous, missed, total) = (0, 0.0, 0.0)
    var result = arriving
    for index in arriving.indices {
      let y = map.values[index]
      guard let slope = function.slope(knownOutput: y) else {
        ambiguous += 1
        continue
      }
      result[index] *= slope
      let moved = function.slope(knownOutput: y + map.errors[index]) ?? slope
      let change = (moved - slope) * arriving[index]
      if function.isSmooth { missed += change * change }
      total += result[index] * result[index]
    }
    guard ambiguous == 0 else {
      throw CascadeStop(
        "\(ambiguous) of \(arriving.count) outputs of \(function.name) at "
          + "'\(network.nodes[node].name)' have two possible inputs", at: node)
    }
    if let levels = function.levels {
      let wrong = correctSigns(of: &result, arriving: arriving, at: node, levels)
      if !wrong.isEmpty {
        guard suspicion == nil, let convolution = convolution(directlyBelow: node) else {
          withdraw(.node(node))
          throw contradiction(wrong.count, at: node)
        }
        suspicion = Suspicion(activation: node, convolution: convolution, channels: wrong)
      }
    }
    let own = total > 0 ? (missed / total).squareRoot() : 0
    let source = network.nodes[node].sources[0]
    let error = gradientErrors[.node(node)] ?? 0
    gradientErrors[source] = (error * error + own * own).squareRoot()
    return result
  }
}

extension ActivationFunction {
  /// `φ′` where the output determines it, by its inverse if need be.
  func slope(knownOutput y: Double) -> Double? {
    slope(atOutput: y) ?? inverse(y).flatMap { slope($0) }
  }

  /// Whether slopes change with the value rather than in steps.
  var isSmooth: Bool {
    switch self {
    case .linear, .relu, .relu6, .leakyReLU, .hardSigmoid: false
    default: true
    }
  }
}
