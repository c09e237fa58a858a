public import TensorIR

/// The graph of a network while its layers append to it.
public struct ForwardPass {
  /// Which statistics normalise, and whether layers that act in training only act.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Stored statistics; dropout passes everything.
    case inference
    /// Statistics of the batch.
    case training
  }

  public var graph = Graph()
  public let mode: Mode
  /// The parameters that layers have asked for, in the order they did.
  public private(set) var parameters: [(key: ParameterTable.Key, value: Value)] = []
  private(set) var node = 0
  private(set) var nodeName = ""

  public init(mode: Mode = .inference) { self.mode = mode }

  /// The parameter of the layer that is being built, in the graph's axis order.
  ///
  /// - Parameters:
  ///   - role: What it is to its layer.
  ///   - shape: Its extents in the graph: dense `[inputs, outputs]`, convolution
  ///     `[K…, inputs / groups, outputs]`.
  public mutating func parameter(_ role: ParameterRole, _ shape: [Int]) -> Value {
    let key = ParameterTable.Key(node: node, role: role)
    if let known = parameters.first(where: { $0.key == key }) { return known.value }
    let value = graph.input(
      Self.inputName(nodeName, role), TensorType(shape), .parameter)
    parameters.append((key, value))
    return value
  }

  /// The name of a parameter's graph input.
  static func inputName(_ node: String, _ role: ParameterRole) -> String { "\(node)/\(role)" }

  mutating func enter(_ node: Int, _ name: String) {
    self.node = node
    nodeName = name
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
