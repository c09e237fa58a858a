public import Tensors

/// The tensors of a network by node and role: weights, a gradient, or one optimiser slot.
///
/// Tensors keep the axis order of their framework; ``Convention`` says which.
public struct ParameterTable: Sendable {
  /// The axis order of kernels.
  public enum Convention: String, Sendable {
    /// Dense `[inputs, outputs]`, convolution `[…, inputs, outputs]`, flatten order H, W, C.
    case channelsLast
    /// Dense `[outputs, inputs]`, convolution `[outputs, inputs, …]`, flatten order C, H, W.
    case channelsFirst

    public var denseLayout: Matrix.Layout {
      self == .channelsLast ? .inputsByOutputs : .outputsByInputs
    }
  }

  public struct Key: Hashable, Sendable {
    public var node: Int
    public var role: ParameterRole

    public init(node: Int, role: ParameterRole) {
      self.node = node
      self.role = role
    }
  }

  public var convention: Convention
  public private(set) var tensors: [Key: Tensor]

  public init(convention: Convention, _ tensors: [Key: Tensor] = [:]) {
    self.convention = convention
    self.tensors = tensors
  }

  /// The tensor of one parameter, if the table has it.
  public subscript(node: Int, role: ParameterRole) -> Tensor? {
    get { tensors[Key(node: node, role: role)] }
    set { tensors[Key(node: node, role: role)] = newValue }
  }

  /// The weight of a dense node, rows outputs, if it is there and has two axes.
  public func matrix(_ node: Int) -> Matrix? {
    guard let tensor = self[node, .weight], tensor.shape.count == 2 else { return nil }
    return Matrix(tensor, layout: convention.denseLayout)
  }

  /// The bias of a node.
  ///
  /// - Shape: `[outputs]`.
  public func bias(_ node: Int) -> [Double]? { self[node, .bias]?.elements() }

  /// The keys in node order, then by role.
  public var keys: [Key] {
    tensors.keys.sorted { ($0.node, $0.role) < ($1.node, $1.role) }
  }

  /// Number of values held for one node.
  public func count(_ node: Int) -> Int {
    tensors.reduce(0) { $1.key.node == node ? $0 + $1.value.count : $0 }
  }
}
