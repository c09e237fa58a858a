/// A shape without the batch axis, outermost axis first; `nil` marks an extent the file leaves open.
public typealias Shape = [Int?]

/// Whether a layer's output tells its input, without looking at any number.
public enum InputTreatment: Sendable, Hashable {
  /// Every element passes unchanged, in the same order.
  case unchanged
  /// Every element passes unchanged when the layer is inactive; training may drop or perturb some.
  case unchangedAtInference
  /// Each element `x` becomes `scale · x + offset`.
  case affine(scale: Double, offset: Double)
  /// Each element passes through one scalar function.
  case elementwise(ActivationFunction)
  /// Elements are combined, dropped or looked up.
  case mixed
}

/// Layers of an architecture, described without their weights.
public protocol Layer: Sendable {
  /// The name used in reports, such as `"dense"`.
  static var kind: String { get }

  /// The trainable and non-trainable parameters by role, with their shapes as this project writes
  /// them (`weight` of a dense layer: `[outputs, inputs]`), if the input shape determines them.
  func parameters(input: Shape) -> [ParameterRole: Shape]

  /// The shape behind the layer.
  ///
  /// - Throws: ``ShapeMismatch`` if an input of that shape cannot enter.
  func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape

  /// The shape behind a layer that several tensors enter; `nil` where it does not follow.
  ///
  /// - Throws: ``ShapeMismatch`` if tensors of those shapes cannot enter together.
  func outputShape(joining inputs: [Shape]) throws(ShapeMismatch) -> Shape?

  /// What an element of the input becomes.
  var treatment: InputTreatment { get }

  /// What is special about this layer for a report, such as the class name of a custom layer.
  var detail: String? { get }

  /// What the layer itself calls a parameter that a framework gives the role `role`.
  ///
  /// PyTorch calls the scale of a normalisation `weight`, for example.
  func ownRole(for role: ParameterRole) -> ParameterRole

  /// How the tables of a convention hold a parameter.
  ///
  /// - Parameters:
  ///   - role: What the parameter is to the layer.
  ///   - shape: Its extents in the graph, as ``forward(_:in:)`` asked for them.
  ///   - convention: The axis order of the table.
  /// - Returns: The way from the graph's order to the table's.
  func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement

  /// Appends the layer to a graph, as a composite of primitives.
  ///
  /// - Parameters:
  ///   - inputs: One map per source, of the shapes that ``outputShape(for:)`` was asked about.
  ///   - pass: The graph, and where parameters come from.
  /// - Returns: What leaves the layer, of the shape that ``outputShape(joining:)`` states.
  /// - Throws: ``UnsupportedLayer`` if the layer's meaning is not known exactly.
  func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap
}

extension Layer {
  public func parameters(input: Shape) -> [ParameterRole: Shape] { [:] }
  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape { input }
  public var treatment: InputTreatment { .mixed }
  public var detail: String? { nil }

  public func outputShape(joining inputs: [Shape]) throws(ShapeMismatch) -> Shape? {
    inputs.count == 1 ? try outputShape(for: inputs[0]) : nil
  }

  public func ownRole(for role: ParameterRole) -> ParameterRole { role }

  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement { ParameterArrangement(shape) }

  /// The layer's kind, for a value whose type is not known.
  public var kind: String { Self.kind }
}

/// What a parameter is to its layer, whichever name a framework gives it.
public enum ParameterRole: Hashable, Sendable, Comparable, CustomStringConvertible {
  case weight, bias, scale, shift, runningMean, runningVariance, embeddings
  /// Anything else, under its own name.
  case other(String)

  public var description: String {
    switch self {
    case .weight: "weight"
    case .bias: "bias"
    case .scale: "scale"
    case .shift: "shift"
    case .runningMean: "running_mean"
    case .runningVariance: "running_variance"
    case .embeddings: "embeddings"
    case .other(let name): name
    }
  }

  /// Whether a gradient exists for it.
  public var isTrainable: Bool {
    switch self {
    case .runningMean, .runningVariance: false
    default: true
    }
  }

  public static func < (lhs: Self, rhs: Self) -> Bool { lhs.description < rhs.description }
}

/// An input that a layer cannot take.
public struct ShapeMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  public let found: Shape
  public let expectation: String

  public init(_ found: Shape, expected expectation: String) {
    self.found = found
    self.expectation = expectation
  }

  public var description: String { "input of shape \(found.text) arrives; \(expectation)" }
}

extension Shape {
  /// `28×28×1`, with `?` for an open extent.
  public var text: String {
    isEmpty ? "scalar" : map { $0.map(String.init) ?? "?" }.joined(separator: "×")
  }

  /// The number of elements, if every extent is known and the product fits.
  public var elementCount: Int? {
    var product = 1
    for extent in self {
      guard let extent else { return nil }
      let (next, overflows) = product.multipliedReportingOverflow(by: extent)
      guard !overflows else { return nil }
      product = next
    }
    return product
  }
}
