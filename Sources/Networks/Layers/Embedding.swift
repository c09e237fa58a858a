/// A lookup table from token to vector.
///
/// - Shape: `[positions]` of token numbers → `[positions, width]`; table `[tokens, width]`.
public struct Embedding: Layer {
  public static let kind = "embedding"

  public var tokens: Int
  public var width: Int

  public init(tokens: Int, width: Int) {
    self.tokens = tokens
    self.width = width
  }

  public func parameters(input: Shape) -> [ParameterRole: Shape] { [.embeddings: [tokens, width]] }
  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape { input + [width] }
}
