internal import Networks

extension CascadeWalk {
  /// What is known of a value, from itself or from the layers that read it.
  func inferred(_ source: Network.Source) throws(CascadeStop) -> KnownMap? {
    if let known = maps[source] { return known }
    var result: KnownMap?
    for reader in readers(of: source) where nodes.contains(reader) {
      guard let known = try inferred(through: reader, source) else { continue }
      result = result.map { $0.merged(with: known) } ?? known
    }
    return result
  }

  /// What the output of one layer tells entry by entry about its input.
  func inferred(
    through reader: Int, _ source: Network.Source
  ) throws(CascadeStop) -> KnownMap? {
    switch linearity(reader) {
    case .elementwise(let function):
      return try inferred(.node(reader)).map { Self.inverted($0, function) }
    case .entrywiseAffine:
      guard let output = try inferred(.node(reader)) else { return nil }
      return try unscaled(output, through: reader)
    case .rearrangement:
      guard let output = try inferred(.node(reader)) else { return nil }
      return try moved(output, through: reader, to: source)
    case .sum:
      guard let output = try inferred(.node(reader)) else { return nil }
      return try difference(output, through: reader, source)
    case .affine, .maximum, .unknown: return nil
    }
  }

  private static func inverted(_ output: KnownMap, _ function: ActivationFunction) -> KnownMap {
    var result = output
    for index in output.values.indices where output.errors[index].isFinite {
      guard let z = function.inverse(output.values[index]), let slope = function.slope(z),
        slope > 0
      else {
        result.errors[index] = .infinity
        continue
      }
      result.values[index] = z
      result.errors[index] = max(output.errors[index], 1e-16) / slope
    }
    return result
  }

  private func unscaled(_ output: KnownMap, through node: Int) throws(CascadeStop) -> KnownMap {
    let segment = try layer(node)
    let shift = try segment.value([output.values.map { _ in 0 }])
    segment.linearizeAnywhere()
    let scale = try segment.push([output.values.map { _ in 1 }])
    var result = output
    for index in output.values.indices {
      result.values[index] = (output.values[index] - shift[index]) / scale[index]
      result.errors[index] = output.errors[index] / abs(scale[index])
      if !result.values[index].isFinite { result.errors[index] = .infinity }
    }
    return result
  }

  /// Copies entries back to where a layer took them from, which numbered entries tell.
  private func moved(
    _ output: KnownMap, through node: Int, to source: Network.Source
  ) throws(CascadeStop) -> KnownMap {
    let segment = try layer(node)
    let numbered = network.nodes[node].distinctSources.map { entry -> [Double] in
      let count = programs.count(of: entry)
      return entry == source ? (1...count).map(Double.init) : Array(repeating: 0, count: count)
    }
    let places = try segment.value(numbered)
    var result = KnownMap(
      Array(repeating: 0, count: programs.count(of: source)), error: .infinity)
    for (index, place) in places.enumerated() where place >= 1 {
      let target = Int(place) - 1
      guard output.errors[index] < result.errors[target] else { continue }
      result.values[target] = output.values[index]
      result.errors[target] = output.errors[index]
    }
    return result
  }

  private func difference(
    _ output: KnownMap, through node: Int, _ source: Network.Source
  ) throws(CascadeStop) -> KnownMap? {
    let sources = network.nodes[node].sources
    guard sources.count(where: { $0 == source }) == 1 else { return nil }
    var result = output
    for other in sources where other != source {
      guard let known = try complete(other), known.values.count == output.values.count else {
        return nil
      }
      for index in result.values.indices {
        result.values[index] -= known.values[index]
        let (a, b) = (result.errors[index], known.errors[index])
        result.errors[index] = (a * a + b * b).squareRoot()
      }
    }
    return result
  }

  /// A value all of whose entries are known, computed forwards where need be.
  func complete(_ source: Network.Source) throws(CascadeStop) -> KnownMap? {
    if let known = maps[source], known.isComplete { return known }
    guard case .node(let node) = source else { return nil }
    var inputs: [[Double]] = []
    var relative = 0.0
    for entry in network.nodes[node].distinctSources {
      guard let known = try complete(entry) else { return nil }
      inputs.append(known.values)
      let size = known.values.rootMeanSquareOrZero
      relative = max(relative, size > 0 ? known.errors.rootMeanSquareOrZero / size : 0)
    }
    let values = try layer(node).value(inputs)
    let result = KnownMap(
      values, error: max(relative * values.rootMeanSquareOrZero, 1e-16))
    maps[source] = result
    return result
  }
}
