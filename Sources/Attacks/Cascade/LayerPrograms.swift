internal import Networks
internal import TensorIR
internal import Tensors

/// The layers of a network as programs in `Double`, with the weights of an observation.
///
/// Maps are held as the graph holds them: `[1, spatial…, channels]`, row-major, also at the model
/// input of networks that declare channels first.
final class LayerPrograms {
  let network: Network
  let weights: ParameterTable
  let backend: any Backend
  /// What every source holds: its shape and the order of its axes.
  private let maps: [Network.Source: FeatureMap]

  /// - Throws: ``CascadeStop`` if the network up to `last` is no graph.
  init(
    _ network: Network, weights: ParameterTable, upTo last: Int, on backend: any Backend
  ) throws(CascadeStop) {
    self.network = network
    self.weights = weights
    self.backend = backend
    guard network.inputShapes.count == 1 else {
      throw CascadeStop("the model has \(network.inputShapes.count) inputs; one is followed")
    }
    let extents = network.inputShapes[0].compactMap { $0 }
    guard extents.count == network.inputShapes[0].count, !extents.isEmpty,
      extents.allSatisfy({ $0 > 0 }), extents.count <= 4,
      let count = network.inputShapes[0].elementCount, count <= 1 << 24
    else {
      throw CascadeStop("the shape of the model input is not known")
    }
    let isMoved = network.isChannelsFirst && extents.count > 1
    var scratch = Graph()
    let held = isMoved ? Array(extents.dropFirst()) + [extents[0]] : extents
    let input = FeatureMap(
      scratch.input("input", TensorType([1] + held)), isHeldChannelsLast: isMoved)
    do throws(UnsupportedLayer) {
      let whole = try network.segment(from: [(.input(0), input)], to: [last])
      var maps: [Network.Source: FeatureMap] = [.input(0): input]
      for (node, map) in whole.featureMaps { maps[.node(node)] = map }
      self.maps = maps
    } catch {
      throw CascadeStop(error)
    }
  }

  /// The shape of a value without its sample axis, as it is held.
  func shape(of source: Network.Source) -> [Int] {
    maps[source].map { Array($0.value.type.shape.dropFirst()) } ?? []
  }

  func count(of source: Network.Source) -> Int { shape(of: source).reduce(1, *) }

  /// A value held channels-last in the order that the file declares.
  func declared(_ elements: [Double], of source: Network.Source) -> [Double] {
    let shape = shape(of: source)
    guard maps[source]?.isHeldChannelsLast == true, let channels = shape.last else {
      return elements
    }
    let places = elements.count / channels
    return (0..<channels).flatMap { channel in
      (0..<places).map { elements[$0 * channels + channel] }
    }
  }

  /// The part of the network between values, as programs.
  func segment(
    from cuts: [Network.Source], to target: Int, in precision: Precision = .double
  ) throws(CascadeStop) -> Segment {
    var given: [(source: Network.Source, map: FeatureMap)] = []
    for cut in cuts {
      guard let map = maps[cut] else { throw CascadeStop("a value is not part of the graph") }
      given.append((cut, map))
    }
    do throws(UnsupportedLayer) {
      let graph = try network.segment(from: given, to: [target])
      return Segment(graph, target: target, programs: self, precision: precision)
    } catch {
      throw CascadeStop(error)
    }
  }

  /// The programs of one layer, whose cuts are its sources.
  func layer(_ node: Int) throws(CascadeStop) -> Segment {
    var cuts: [Network.Source] = []
    for source in network.nodes[node].sources where !cuts.contains(source) { cuts.append(source) }
    return try segment(from: cuts, to: node)
  }

  /// Compiles a graph and binds its parameters.
  func compile(
    _ graph: Graph, _ parameters: [GraphParameter], in precision: Precision
  ) throws(CascadeStop) -> any CompiledProgram {
    let program: any CompiledProgram
    do throws(BackendError) {
      program = try backend.compile(graph, in: precision)
    } catch {
      throw CascadeStop(error)
    }
    for parameter in parameters {
      do throws(ParameterMismatch) {
        program.bind(
          try network.elements(of: [parameter], from: weights)[0], to: parameter.name)
      } catch {
        throw CascadeStop(error)
      }
    }
    return program
  }
}

/// A part of a network between given values and one result.
final class Segment {
  private let parts: NetworkGraph
  private let target: Int
  private let programs: LayerPrograms
  private let precision: Precision
  private var forwardProgram: (any CompiledProgram)?
  private var pullbackProgram: (any CompiledProgram)?
  private var pushforwardProgram: (any CompiledProgram)?

  init(
    _ parts: NetworkGraph, target: Int, programs: LayerPrograms, precision: Precision
  ) {
    self.parts = parts
    self.target = target
    self.programs = programs
    self.precision = precision
  }

  private func result(_ graph: NetworkGraph) throws(CascadeStop) -> Value {
    guard let map = graph.featureMaps[target] else {
      throw CascadeStop("a layer is missing", at: target)
    }
    return map.value
  }

  private func compile(_ graph: Graph) throws(CascadeStop) -> any CompiledProgram {
    // Only the parameters that the results depend on are still inputs.
    let used = parts.parameters.filter { graph.input(named: $0.name) != nil }
    return try programs.compile(graph, used, in: precision)
  }

  private func run(
    _ program: any CompiledProgram, _ bindings: [(String, [Double])]
  ) throws(CascadeStop) {
    for (name, elements) in bindings { program.bind(elements, to: name) }
    do throws(BackendError) { try program.run() } catch { throw CascadeStop(error) }
  }

  private func cuts(_ inputs: [[Double]]) -> [(String, [Double])] {
    inputs.enumerated().map { ("cut/\($0)", $1) }
  }

  /// The result for given values, one per cut.
  func value(_ inputs: [[Double]]) throws(CascadeStop) -> [Double] {
    if forwardProgram == nil {
      var graph = parts.graph
      graph.output("value", try result(parts))
      forwardProgram = try compile(graph)
    }
    guard let program = forwardProgram else { return [] }
    try run(program, cuts(inputs))
    return program.elements(of: "value")
  }

  /// `Jᵀ u` at given values, one cotangent per cut.
  func pullback(_ inputs: [[Double]], _ cotangent: [Double]) throws(CascadeStop) -> [[Double]] {
    if pullbackProgram == nil {
      var graph = parts.graph
      let value = try result(parts)
      let arriving = graph.input("cotangent", value.type)
      let leaving = graph.pullback(of: [(value, arriving)], to: parts.inputs)
      for (place, cotangent) in leaving.enumerated() {
        graph.output("slope/\(place)", cotangent)
      }
      pullbackProgram = try compile(graph)
    }
    guard let program = pullbackProgram else { return [] }
    try run(program, cuts(inputs) + [("cotangent", cotangent)])
    return parts.inputs.indices.map { program.elements(of: "slope/\($0)") }
  }

  /// `J v` at given values.
  func pushforward(
    _ inputs: [[Double]], _ tangents: [[Double]]
  ) throws(CascadeStop) -> [Double] {
    if pushforwardProgram == nil {
      var graph = parts.graph
      let value = try result(parts)
      var directions: [Value: Value] = [:]
      for (place, input) in parts.inputs.enumerated() {
        directions[input] = graph.input("tangent/\(place)", input.type)
      }
      graph.output("tangent", graph.pushforward(of: value, along: directions))
      pushforwardProgram = try compile(graph)
    }
    guard let program = pushforwardProgram else { return [] }
    try run(
      program, cuts(inputs) + tangents.enumerated().map { ("tangent/\($0)", $1) })
    return program.elements(of: "tangent")
  }
}
