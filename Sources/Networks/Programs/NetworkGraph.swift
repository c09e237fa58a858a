public import TensorIR

/// The forward pass of a network as a graph.
public struct NetworkGraph: Sendable {
  public var graph: Graph
  /// One per model input, `[samples, …]` in the declared order.
  public let inputs: [Value]
  /// What each node computes, as far as the graph goes.
  public let featureMaps: [Int: FeatureMap]
  /// Every parameter in the graph's axis order, in node order.
  public let parameters: [GraphParameter]

  /// The parameters that a gradient exists for.
  public var trainable: [GraphParameter] { parameters.filter { $0.key.role.isTrainable } }
}

extension Network {
  /// Builds the forward pass up to a node.
  ///
  /// - Parameters:
  ///   - samples: The extent of the leading axis.
  ///   - mode: Whether batch statistics or stored ones normalise.
  ///   - last: The node whose output is wanted; by default the only output of the network.
  /// - Returns: The graph with what each node on the way computes.
  /// - Precondition: The network has a node, and there is at least one sample.
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func graph(
    samples: Int, mode: ForwardPass.Mode = .inference, upTo last: Int? = nil
  ) throws(UnsupportedLayer) -> NetworkGraph {
    precondition(samples > 0, "a batch has at least one sample")
    let last = if let last { last } else { try soleOutput() }
    var pass = ForwardPass(mode: mode)
    let inputs = try addInputs(to: &pass, samples: samples, for: last)
    var maps: [Int: FeatureMap] = [:]
    let given = Dictionary(
      uniqueKeysWithValues: inputs.enumerated().map { ($0, FeatureMap($1)) })
    for index in nodesNeeded(for: last) {
      maps[index] = try featureMap(of: index, samples, given, maps, in: &pass)
    }
    return NetworkGraph(
      graph: pass.graph, inputs: inputs, featureMaps: maps, parameters: pass.parameters)
  }

  /// Builds the part of the forward pass that leads from some values to others, with one input per
  /// cut.
  ///
  /// - Parameters:
  ///   - cuts: What counts as given, each with a map of the order and shape that the whole graph
  ///     gives it; nothing in front of a cut is built.
  ///   - targets: The nodes whose outputs are wanted.
  ///   - kind: How often the given values change; what depends on parameters alone is computed once.
  ///   - mode: Whether batch statistics or stored ones normalise.
  /// - Returns: The graph; its inputs stand in the order of `cuts` and are called `cut/0`, `cut/1`, ….
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express, or that
  ///   reads something in front of the cuts.
  public func segment(
    from cuts: [(source: Source, map: FeatureMap)], to targets: [Int],
    givenAs kind: Graph.InputKind = .argument, mode: ForwardPass.Mode = .inference
  ) throws(UnsupportedLayer) -> NetworkGraph {
    var pass = ForwardPass(mode: mode)
    var maps: [Int: FeatureMap] = [:]
    var given: [Int: FeatureMap] = [:]
    var inputs: [Value] = []
    for (place, cut) in cuts.enumerated() {
      let value = pass.graph.input("cut/\(place)", cut.map.value.type, kind)
      inputs.append(value)
      switch cut.source {
      case .node(let node): maps[node] = cut.map.replacing(value)
      case .input(let input): given[input] = cut.map.replacing(value)
      }
    }
    let samples = inputs.first?.type.shape.first ?? 1
    var isNeeded = Array(repeating: false, count: nodes.count)
    for target in targets { isNeeded[target] = true }
    for index in nodes.indices.reversed() where isNeeded[index] && maps[index] == nil {
      for case .node(let before) in nodes[index].sources where before < index && before >= 0 {
        isNeeded[before] = true
      }
    }
    for index in nodes.indices where isNeeded[index] && maps[index] == nil {
      maps[index] = try featureMap(of: index, samples, given, maps, in: &pass)
    }
    return NetworkGraph(
      graph: pass.graph, inputs: inputs, featureMaps: maps, parameters: pass.parameters)
  }

  /// - Throws: ``UnsupportedLayer`` naming the second output, if there is one.
  func soleOutput() throws(UnsupportedLayer) -> Int {
    guard outputs.count <= 1 else {
      throw unsupported(outputs[1], "the model has \(outputs.count) outputs; one is expressed")
    }
    return outputs.first ?? nodes.count - 1
  }

  private func addInputs(
    to pass: inout ForwardPass, samples: Int, for last: Int
  ) throws(UnsupportedLayer) -> [Value] {
    var inputs: [Value] = []
    for (index, shape) in inputShapes.enumerated() {
      let name = inputShapes.count == 1 ? "input" : "input\(index)"
      guard let extents = shape.known, let count = shape.elementCount, count > 0,
        count <= ForwardPass.elementLimit / samples, extents.count < ForwardPass.axisLimit
      else {
        throw unsupported(
          last, "the shape of model input \(index + 1) is not known or beyond what is held")
      }
      let isIndex = readsIndices(input: index)
      inputs.append(
        pass.graph.input(name, TensorType([samples] + extents, isIndex ? .index : .real)))
    }
    return inputs
  }

  private func featureMap(
    of index: Int, _ samples: Int, _ inputs: [Int: FeatureMap], _ maps: [Int: FeatureMap],
    in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let node = nodes[index]
    if node.isShared { throw unsupported(index, "the model calls it several times") }
    if let mismatch = node.mismatch { throw unsupported(index, mismatch.description) }
    guard let count = node.outputShape?.elementCount, count > 0,
      count <= ForwardPass.elementLimit / samples,
      node.outputShape?.count ?? 0 < ForwardPass.axisLimit
    else {
      // A layer that is not known says so itself; its shape would only distract.
      if node.layer is CustomLayer { throw unsupported(index, CustomLayer.reason) }
      throw unsupported(index, "the shape of its output is not known or beyond what is held")
    }
    var arriving: [FeatureMap] = []
    for source in node.sources {
      switch source {
      case .input(let input) where inputs[input] != nil:
        if let map = inputs[input] { arriving.append(map) }
      case .node(let before):
        guard let map = maps[before] else {
          throw unsupported(index, "it reads from a layer that comes later")
        }
        arriving.append(map)
      case .input: throw unsupported(index, "it reads from an input that the model has not")
      }
    }
    guard node.layer is Embedding || arriving.allSatisfy({ $0.value.type.element == .real }) else {
      throw unsupported(index, "it reads whole numbers that an embedding reads too")
    }
    pass.enter(index, node)
    do throws(UnsupportedLayer) {
      let map = try node.layer.forward(arriving, in: &pass)
      guard map.declaredShape == [samples] + (node.outputShape?.known ?? []) else {
        throw UnsupportedLayer(
          node.layer,
          "the graph gives \(map.declaredShape), the file \(node.outputShape?.text ?? "nothing")")
      }
      return map
    } catch {
      throw unsupported(index, error.reason)
    }
  }

  func unsupported(_ index: Int, _ reason: String) -> UnsupportedLayer {
    UnsupportedLayer(nodes[index].layer, reason, name: nodes[index].name)
  }

  private func nodesNeeded(for last: Int) -> [Int] {
    var isNeeded = Array(repeating: false, count: nodes.count)
    isNeeded[last] = true
    for index in nodes.indices.reversed() where isNeeded[index] {
      for case .node(let before) in nodes[index].sources where before < index && before >= 0 {
        isNeeded[before] = true
      }
    }
    return nodes.indices.filter { isNeeded[$0] }
  }

  private func readsIndices(input: Int) -> Bool {
    nodes.contains { $0.sources.contains(.input(input)) && $0.layer is Embedding }
  }
}

extension Shape {
  /// The extents, if all are known.
  var known: [Int]? {
    let extents = compactMap { $0 }
    return extents.count == count ? extents : nil
  }
}
