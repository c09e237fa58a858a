package import Networks
package import TensorIR
internal import Tensors

/// The layers of a network as programs in `Double`, with the weights of an observation.
///
/// Maps are held as the graph holds them: `[1, spatial…, channels]`, row-major, also at the model
/// input of networks that declare channels first.
package final class LayerPrograms {
  let network: Network
  let weights: ParameterTable
  let backend: any Backend
  /// What every source holds: its shape and the order of its axes.
  private let maps: [Network.Source: FeatureMap]
  /// Every parameter up to the last node.
  let parameters: [ParameterTable.Key: GraphParameter]

  /// - Throws: ``CascadeStop`` if the network up to `last` is no graph.
  package init(
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
      parameters = Dictionary(uniqueKeysWithValues: whole.parameters.map { ($0.key, $0) })
    } catch {
      throw CascadeStop(error)
    }
  }

  /// The shape of a value without its sample axis, as it is held.
  package func shape(of source: Network.Source) -> [Int] {
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
  package func segment(
    from cuts: [Network.Source], to target: Int, in precision: Precision = .double
  ) throws(CascadeStop) -> Segment {
    let forward = try graph(from: cuts, to: [target], givenAs: .argument)
    let linear = try graph(from: cuts, to: [target], givenAs: .parameter)
    return Segment(
      forward, linear, target: target, programs: self, precision: precision)
  }

  /// The part of the network between values, as a graph.
  func graph(
    from cuts: [Network.Source], to targets: [Int], givenAs kind: Graph.InputKind
  ) throws(CascadeStop) -> NetworkGraph {
    var given: [(source: Network.Source, map: FeatureMap)] = []
    for cut in cuts {
      guard let map = maps[cut] else { throw CascadeStop("a value is not part of the graph") }
      given.append((cut, map))
    }
    do throws(UnsupportedLayer) {
      return try network.segment(from: given, to: targets, givenAs: kind)
    } catch {
      throw CascadeStop(error)
    }
  }

  /// The elements of a parameter in the graph's order; `nil` if the table lacks it.
  func elements(_ node: Int, _ role: ParameterRole, of table: ParameterTable) -> [Double]? {
    guard let parameter = parameters[ParameterTable.Key(node: node, role: role)],
      table[node, role] != nil
    else { return nil }
    return try? network.elements(of: [parameter], from: table).first
  }

  /// The programs of one layer, whose cuts are its sources.
  func layer(_ node: Int) throws(CascadeStop) -> Segment {
    try segment(from: network.nodes[node].distinctSources, to: node)
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
