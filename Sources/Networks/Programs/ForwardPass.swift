public import TensorIR

/// A parameter of a network as an input of its graph.
public struct GraphParameter: Hashable, Sendable {
  public let key: ParameterTable.Key
  /// The name of its input, `NODE/ROLE` wherever node names are unique.
  public let name: String
  /// Its input, in the graph's axis order.
  public let value: Value

  public init(key: ParameterTable.Key, name: String, value: Value) {
    self.key = key
    self.name = name
    self.value = value
  }
}

/// The graph of a network while its layers append to it.
public struct ForwardPass {
  /// Which statistics normalise, and whether layers that act in training only act.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Stored statistics; dropout passes everything.
    case inference
    /// Statistics of the batch.
    case training
  }

  /// No value of a graph may have more elements than this; a stranger's architecture may ask for
  /// anything.
  static let elementLimit = TensorType.largestExtent
  /// No map between layers may have more axes than this; layers part some of them.
  static let axisLimit = 16
  /// No table of a graph may have more elements than this: it is held in memory at once.
  static let tableLimit = 1 << 22
  /// The longest sequence that is unrolled.
  static let stepLimit = 1 << 12

  public var graph = Graph()
  public let mode: Mode
  /// The parameters that layers have asked for, in the order they did.
  public private(set) var parameters: [GraphParameter] = []
  private var node = 0
  private var nodeName = ""
  private var layer: any Layer = CustomLayer(className: "", carriesCode: false)

  public init(mode: Mode = .inference) { self.mode = mode }

  /// The parameter of the layer that is being built, in the graph's axis order.
  ///
  /// - Parameters:
  ///   - role: What it is to its layer.
  ///   - shape: Its extents in the graph: dense `[inputs, outputs]`, convolution
  ///     `[K…, inputs / groups, outputs]`.
  /// - Returns: The parameter's input; the same one each time.
  /// - Throws: ``UnsupportedLayer`` if it has more elements than fit.
  public mutating func parameter(
    _ role: ParameterRole, _ shape: [Int]
  ) throws(UnsupportedLayer) -> Value {
    try requireRoom(shape)
    let key = ParameterTable.Key(node: node, role: role)
    // Layers are entered in turn, so those of this one are the last.
    let own = parameters.reversed().prefix { $0.key.node == node }
    if let known = own.first(where: { $0.key == key }) { return known.value }
    var name = "\(nodeName)/\(role)"
    while graph.input(named: name) != nil { name += "'" }
    let value = graph.input(name, TensorType(shape), .parameter)
    parameters.append(GraphParameter(key: key, name: name, value: value))
    return value
  }

  /// - Throws: ``UnsupportedLayer`` if a value of that shape would be larger than `limit` elements.
  func requireRoom(
    _ shape: [Int], limit: Int = ForwardPass.elementLimit
  ) throws(UnsupportedLayer) {
    guard let count = (shape as [Int?]).elementCount, count > 0, count <= limit else {
      throw UnsupportedLayer(
        layer, "it would need \((shape as [Int?]).text) numbers at once; up to \(limit) are held")
    }
  }

  /// Appends a primitive whose attributes follow from what a file says.
  ///
  /// - Throws: ``UnsupportedLayer`` if the operands do not fit it.
  mutating func apply(
    _ primitive: some Primitive, _ operands: Value...
  ) throws(UnsupportedLayer) -> Value {
    let type: TensorType
    do throws(TypeMismatch) {
      type = try primitive.resultType(of: operands.map(\.type))
    } catch {
      throw UnsupportedLayer(layer, error.description)
    }
    try requireRoom(type.shape)
    return graph.apply(primitive, operands)
  }

  mutating func enter(_ index: Int, _ node: Network.Node) {
    self.node = index
    nodeName = node.name
    layer = node.layer
  }
}

/// A layer that cannot become part of a graph, and why.
public struct UnsupportedLayer: Error, Hashable, Sendable, CustomStringConvertible {
  /// The node's name in the network; empty until the network adds it.
  public var name: String
  /// The layer's kind or class.
  public let kind: String
  public let reason: String

  public init(_ layer: any Layer, _ reason: String, name: String = "") {
    self.name = name
    kind = layer.detail.map { "\(layer.kind) (\($0))" } ?? layer.kind
    self.reason = reason
  }

  public var description: String { "layer '\(name)' of kind \(kind): \(reason)" }
}
