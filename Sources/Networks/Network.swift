/// An architecture: layers and what feeds each of them.
public struct Network: Sendable {
  /// Where a layer's input comes from.
  public enum Source: Hashable, Sendable {
    /// The model input with this index.
    case input(Int)
    /// The output of an earlier node.
    case node(Int)
  }

  /// One layer in its place.
  public struct Node: Sendable {
    /// The name in reports and parameter tables; a layer of a nested model is `outer/inner`.
    public var name: String
    public var layer: any Layer
    public var sources: [Source]
    /// Whether the model calls the layer several times, of which this is the first.
    public var isShared = false
    /// The shape that enters, as far as it is known.
    public var inputShape: Shape?
    /// The shape that leaves, as far as it is known.
    public var outputShape: Shape?
    /// Why the shape that enters cannot enter, if it cannot.
    public var mismatch: ShapeMismatch?

    public init(name: String, layer: any Layer, sources: [Source]) {
      self.name = name
      self.layer = layer
      self.sources = sources
    }

    /// What it reads, each source once.
    package var distinctSources: [Source] {
      sources.indices.filter { sources.firstIndex(of: sources[$0]) == $0 }.map { sources[$0] }
    }
  }

  /// How the architecture is known.
  public enum Origin: Hashable, Sendable {
    /// The file states it.
    case declared
    /// Guessed from parameter names and shapes: layers without parameters are unknown.
    case inferred
  }

  public var name: String
  public var origin: Origin
  /// The shape of each model input without the batch axis.
  public var inputShapes: [Shape]
  public private(set) var nodes: [Node]
  /// The nodes that read each node's output, ascending.
  private var readers: [[Int]]
  /// The loss, as the file names it.
  public var loss: String?
  /// The nodes whose outputs the model gives.
  public let outputs: [Int]

  /// Nodes and what they read; `outputs` are the nodes whose outputs the model gives, by default
  /// the last.
  public init(
    _ name: String, origin: Origin = .declared, inputShapes: [Shape], nodes: [Node],
    loss: String? = nil, outputs: [Int] = []
  ) {
    self.name = name
    self.origin = origin
    self.inputShapes = inputShapes
    self.nodes = nodes
    self.loss = loss
    self.outputs =
      outputs.isEmpty ? nodes.indices.suffix(1) : outputs.filter(nodes.indices.contains)
    readers = Array(repeating: [], count: nodes.count)
    for (index, node) in nodes.enumerated() {
      for source in Set(node.sources) {
        if case .node(let before) = source, nodes.indices.contains(before) {
          readers[before].append(index)
        }
      }
    }
    inferShapes()
  }

  /// A chain of named layers.
  public init(_ name: String, input: Shape, _ layers: KeyValuePairs<String, any Layer>) {
    let nodes = layers.enumerated().map { index, entry in
      Node(
        name: entry.key, layer: entry.value,
        sources: [index == 0 ? .input(0) : .node(index - 1)])
    }
    self.init(name, inputShapes: [input], nodes: nodes)
  }

  private mutating func inferShapes() {
    for index in nodes.indices {
      let arriving = nodes[index].sources.map { source -> Shape? in
        switch source {
        case .input(let input): inputShapes.indices.contains(input) ? inputShapes[input] : nil
        case .node(let node): node < index ? nodes[node].outputShape : nil
        }
      }
      let known = arriving.compactMap { $0 }
      guard known.count == arriving.count, let first = known.first else { continue }
      nodes[index].inputShape = first
      do throws(ShapeMismatch) {
        nodes[index].outputShape = try nodes[index].layer.outputShape(joining: known)
      } catch {
        nodes[index].mismatch = error
      }
      // What no memory holds counts as unknown, so that no chain of layers can overflow.
      nodes[index].outputShape = nodes[index].outputShape.map { shape in
        shape.map { extent in extent.flatMap { $0 <= 1 << 32 ? $0 : nil } }
      }
    }
  }
}

extension Network {
  /// The nodes that read the output of node `index`.
  public func consumers(of index: Int) -> [Int] {
    readers[index]
  }

  /// The nodes from a model input to node `index`, nearest the input first, if there is exactly one
  /// way and every node on it has one source.
  ///
  /// - Returns: `nil` if the input reaches the node by several ways or through a merge.
  public func chain(to index: Int) -> [Int]? {
    var chain: [Int] = []
    var current = index
    while true {
      guard nodes[current].sources.count == 1 else { return nil }
      switch nodes[current].sources[0] {
      case .input: return chain.reversed()
      case .node(let before):
        guard before < current else { return nil }
        chain.append(before)
        current = before
      }
    }
  }

  /// The nodes behind node `index` as long as there is exactly one reader with one source.
  public func chain(from index: Int) -> [Int] {
    var chain: [Int] = []
    var current = index
    while true {
      let next = consumers(of: current)
      guard next.count == 1, nodes[next[0]].sources.count == 1 else { return chain }
      chain.append(next[0])
      current = next[0]
    }
  }

  /// Whether the file declares the channels of images in front of their spatial axes.
  public var isChannelsFirst: Bool {
    nodes.contains { node in
      (node.layer as? Convolution)?.channelsFirst ?? (node.layer as? Pooling)?.channelsFirst
        ?? false
    }
  }

  /// Whether the output of the model depends on node `index` and on nothing behind it.
  public func isLast(_ index: Int) -> Bool { consumers(of: index).isEmpty }
}
