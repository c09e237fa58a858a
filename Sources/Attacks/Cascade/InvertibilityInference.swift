internal import Networks
internal import Tensors

/// Which entries of values follow from others that are known, entry by entry.
///
/// What `CascadeInference` does with recovered values, with those of a simulation.
final class InvertibilityInference {
  private let simulation: InvertibilitySimulation
  private var complete: Set<Network.Source> = []
  private var incomplete: Set<Network.Source> = []
  private var known: [Network.Source: [Bool]?] = [:]

  private var network: Network { simulation.network }

  init(_ simulation: InvertibilitySimulation) { self.simulation = simulation }

  func insert(_ source: Network.Source) {
    complete.insert(source)
    incomplete = []
    known = [:]
  }

  /// Whether every entry is known, by itself or computed forwards.
  func isComplete(_ source: Network.Source) -> Bool {
    if complete.contains(source) { return true }
    guard case .node(let node) = source, !incomplete.contains(source) else { return false }
    if network.nodes[node].sources.allSatisfy(isComplete) {
      complete.insert(source)
      return true
    }
    incomplete.insert(source)
    return false
  }

  func readers(of source: Network.Source) -> [Int] {
    let all: [Int]
    switch source {
    case .node(let node): all = network.consumers(of: node)
    case .input: all = network.nodes.indices.filter { network.nodes[$0].sources.contains(source) }
    }
    return all
  }

  /// The entries known from the value itself or from the layers that read it.
  func entries(_ source: Network.Source) throws(CascadeStop) -> [Bool]? {
    let count = simulation.programs.count(of: source)
    if isComplete(source) { return Array(repeating: true, count: count) }
    if let found = known[source] { return found }
    var result: [Bool]?
    for reader in readers(of: source) where simulation.start.nodes.contains(reader) {
      guard let found = try entries(source, through: reader) else { continue }
      result = result.map { zip($0, found).map { $0 || $1 } } ?? found
    }
    known[source] = .some(result)
    return result
  }

  private func entries(
    _ source: Network.Source, through reader: Int
  ) throws(CascadeStop) -> [Bool]? {
    switch LayerLinearity(network.nodes[reader].layer) {
    case .elementwise(let function):
      guard let output = try entries(.node(reader)),
        let values = simulation.values[.node(reader)]
      else { return nil }
      return zip(output, values).map { isKnown, y in
        isKnown && (function.inverse(y).flatMap { function.slope($0) } ?? 0) > 0
      }
    case .entrywiseAffine:
      guard let output = try entries(.node(reader)) else { return nil }
      return try unscaled(output, through: reader)
    case .rearrangement:
      guard let output = try entries(.node(reader)) else { return nil }
      return try moved(output, through: reader, to: source)
    case .sum:
      let sources = network.nodes[reader].sources
      guard sources.count(where: { $0 == source }) == 1,
        sources.allSatisfy({
          $0 == source
            || (isComplete($0)
              && simulation.programs.count(of: $0) == simulation.programs.count(of: source))
        })
      else { return nil }
      return try entries(.node(reader))
    case .affine, .maximum, .unknown: return nil
    }
  }

  /// Channels that are scaled by zero tell nothing.
  private func unscaled(_ output: [Bool], through reader: Int) throws(CascadeStop) -> [Bool] {
    let programs = simulation.programs
    guard let scale = programs.elements(reader, .scale, of: programs.weights),
      scale.contains(0), programs.shape(of: .node(reader)).last == scale.count
    else { return output }
    return output.indices.map { output[$0] && scale[$0 % scale.count] != 0 }
  }

  /// Copies marks back to where a layer took entries from, which numbered entries tell.
  private func moved(
    _ output: [Bool], through reader: Int, to source: Network.Source
  ) throws(CascadeStop) -> [Bool] {
    let numbered = simulation.network.nodes[reader].distinctSources.map { entry -> [Double] in
      let count = simulation.programs.count(of: entry)
      return entry == source ? (1...count).map(Double.init) : Array(repeating: 0, count: count)
    }
    let places = try simulation.programs.layer(reader).value(numbered)
    var result = Array(repeating: false, count: simulation.programs.count(of: source))
    for (index, place) in places.enumerated() where place >= 1 && output[index] {
      result[Int(place) - 1] = true
    }
    return result
  }
}
