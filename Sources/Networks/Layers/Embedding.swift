internal import TensorIR

/// A lookup table from token to vector.
///
/// - Shape: `[positions]` of token numbers → `[positions, width]`; table `[tokens, width]`.
public struct Embedding: Layer {
  public static let kind = "embedding"

  public var tokens: Int
  public var width: Int
  /// The token that stands for nothing: its row has no gradient.
  public var paddingToken: Int?
  /// Whether layers behind it pass over the positions of token 0, as Keras' `mask_zero` has it.
  public var masksZero: Bool

  public init(tokens: Int, width: Int, paddingToken: Int? = nil, masksZero: Bool = false) {
    self.tokens = tokens
    self.width = width
    self.paddingToken = paddingToken
    self.masksZero = masksZero
  }

  public func parameters(input: Shape) -> [ParameterRole: Shape] { [.embeddings: [tokens, width]] }
  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape { input + [width] }
}

extension Embedding {
  public func ownRole(for role: ParameterRole) -> ParameterRole {
    role == .weight ? .embeddings : role
  }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let positions = inputs[0].declared(in: &pass.graph)
    guard positions.type.element == .index else {
      throw UnsupportedLayer(self, "it reads computed numbers, not tokens of the model input")
    }
    guard !masksZero else {
      throw UnsupportedLayer(self, "layers behind it pass over the positions of token 0")
    }
    var table = try pass.parameter(.embeddings, [tokens, width])
    if let paddingToken {
      try pass.requireRoom([tokens], limit: ForwardPass.tableLimit)
      guard (0..<tokens).contains(paddingToken) else {
        throw UnsupportedLayer(self, "token \(paddingToken) is not in its table")
      }
      let rows = pass.graph.apply(Iota(shape: [tokens, width], axis: 0))
      let isPadding = pass.graph.apply(
        Compare(.equal), rows,
        pass.graph.constant(Double(paddingToken), TensorType([tokens, width], .index)))
      table = pass.graph.apply(
        Select(), isPadding, pass.graph.apply(StopGradient(), table), table)
    }
    return FeatureMap(pass.graph.apply(Gather(), table, positions))
  }
}
