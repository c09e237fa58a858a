public import TensorIR

/// The forward pass of a network as a graph.
public struct NetworkGraph: Sendable {
  public var graph: Graph
  /// One per model input, `[samples, …]` in the declared order.
  public let inputs: [Value]
  /// What each node computes, as far as the graph goes.
  public let featureMaps: [Int: FeatureMap]
  /// Every parameter in the graph's axis order, in node order.
  public let parameters: [(key: ParameterTable.Key, value: Value)]

  /// The parameters that a gradient exists for.
  public var trainable: [(key: ParameterTable.Key, value: Value)] {
    parameters.filter { $0.key.role.isTrainable }
  }
}

extension Network {
  /// No value of a graph may have more elements than this; a stranger's architecture may ask for
  /// anything.
  static let elementLimit = 1 << 31

  /// Builds the forward pass up to a node.
  ///
  /// - Parameters:
  ///   - samples: The extent of the leading axis.
  ///   - mode: Whether batch statistics or stored ones normalise.
  ///   - last: The node whose output is wanted; the last of the network by default.
  /// - Throws: ``UnsupportedLayer`` naming the first layer that the graph cannot express.
  public func graph(
    samples: Int, mode: ForwardPass.Mode = .inference, upTo last: Int? = nil
  ) throws(UnsupportedLayer) -> NetworkGraph {
    var pass = ForwardPass(mode: mode)
    let last = last ?? nodes.count - 1
    let needed = nodesNeeded(for: last)
    var inputs: [Value] = []
    for (index, shape) in inputShapes.enumerated() {
      let name = inputShapes.count == 1 ? "input" : "input\(index)"
      guard let extents = shape.known, let count = shape.elementCount,
        count <= Self.elementLimit / max(samples, 1)
      else { throw unsupported(needed[0], "the shape of the model input is not known") }
      let isIndex = readsIndices(input: index)
      inputs.append(
        pass.graph.input(name, TensorType([samples] + extents, isIndex ? .index : .real)))
    }
    var maps: [Int: FeatureMap] = [:]
    for index in needed {
      let node = nodes[index]
      if let mismatch = node.mismatch { throw unsupported(index, mismatch.description) }
      guard let count = node.outputShape?.elementCount, count <= Self.elementLimit / samples
      else { throw unsupported(index, "the shape of its output is not known") }
      var arriving: [FeatureMap] = []
      for source in node.sources {
        switch source {
        case .input(let input): arriving.append(FeatureMap(inputs[input]))
        case .node(let before):
          guard let map = maps[before] else {
            throw unsupported(index, "it reads from a layer that comes later")
          }
          arriving.append(map)
        }
      }
      pass.enter(index, node.name)
      do throws(UnsupportedLayer) {
        let map = try node.layer.forward(arriving, in: &pass)
        guard map.declaredShape == [samples] + (node.outputShape?.known ?? []) else {
          throw UnsupportedLayer(
            node.layer, "the graph gives \(map.declaredShape), the file \(node.outputShape ?? [])")
        }
        maps[index] = map
      } catch {
        throw unsupported(index, error.reason)
      }
    }
    return NetworkGraph(
      graph: pass.graph, inputs: inputs, featureMaps: maps, parameters: pass.parameters)
  }

  private func unsupported(_ index: Int, _ reason: String) -> UnsupportedLayer {
    UnsupportedLayer(nodes[index].layer, reason, name: nodes[index].name)
  }

  private func nodesNeeded(for last: Int) -> [Int] {
    var isNeeded = Array(repeating: false, count: nodes.count)
    isNeeded[last] = true
    for index in nodes.indices.reversed() where isNeeded[index] {
      for case .node(let before) in nodes[index].sources where before < index {
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
