/// Multi-head attention between positions: `softmax(Q Kᵀ / √d) V` per head, projected.
///
/// One arriving tensor is query, key and value; of two the second is key and value; three are query,
/// key and value.
///
/// - Shape: `[positions, width]` each → `[query positions, outputs]`.
/// - Source: Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, §3.2.
public struct Attention: Layer {
  public static let kind = "attention"

  /// How tables hold the projections of query, key and value.
  public enum Projection: Hashable, Sendable {
    /// A matrix and a bias each, as in Keras.
    case separate
    /// One matrix where all three widths are equal, else a matrix each; one bias. As in PyTorch.
    case packed
  }

  /// Heads and widths.
  public struct Arrangement: Hashable, Sendable {
    public var heads: Int
    /// Features of query and key per head.
    public var keyWidth: Int
    /// Features of the value per head.
    public var valueWidth: Int
    /// Features of the result; `nil` is as many as the query has.
    public var outputs: Int?
    public var hasBias: Bool
    /// Whether a position sees only itself and those before it.
    public var isCausal: Bool
    public var projection: Projection

    public init(
      heads: Int, keyWidth: Int, valueWidth: Int? = nil, outputs: Int? = nil,
      hasBias: Bool = true, isCausal: Bool = false, projection: Projection = .separate
    ) {
      self.heads = heads
      self.keyWidth = keyWidth
      self.valueWidth = valueWidth ?? keyWidth
      self.outputs = outputs
      self.hasBias = hasBias
      self.isCausal = isCausal
      self.projection = projection
    }
  }

  public enum Form: Hashable, Sendable {
    case multiHead(Arrangement)
    /// A class by name, of which the file says no more.
    case unstated(String)
  }

  public var form: Form

  public init(_ form: Form) { self.form = form }

  public init(
    heads: Int, keyWidth: Int, valueWidth: Int? = nil, outputs: Int? = nil, hasBias: Bool = true,
    isCausal: Bool = false, projection: Projection = .separate
  ) {
    form = .multiHead(
      Arrangement(
        heads: heads, keyWidth: keyWidth, valueWidth: valueWidth, outputs: outputs,
        hasBias: hasBias, isCausal: isCausal, projection: projection))
  }

  public var detail: String? {
    switch form {
    case .multiHead(let arrangement):
      "\(arrangement.heads) \(arrangement.heads == 1 ? "head" : "heads")"
    case .unstated(let name): name
    }
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard case .multiHead(let arrangement) = form else { return input }
    guard input.count == 2 else {
      throw ShapeMismatch(input, expected: "attention needs positions and features")
    }
    guard arrangement.heads > 0, arrangement.keyWidth > 0, arrangement.valueWidth > 0 else {
      throw ShapeMismatch(input, expected: "attention needs a head and features in it")
    }
    return [input[0], arrangement.outputs ?? input[1]]
  }

  public func outputShape(joining inputs: [Shape]) throws(ShapeMismatch) -> Shape? {
    guard case .multiHead = form else { return inputs.count == 1 ? inputs[0] : nil }
    guard inputs.count <= 3, inputs.allSatisfy({ $0.count == 2 }) else {
      throw ShapeMismatch(
        inputs[0], expected: "attention needs a query, a key and a value of two axes each")
    }
    if inputs.count == 3, let keys = inputs[1][0], let values = inputs[2][0], keys != values {
      throw ShapeMismatch(inputs[2], expected: "there are \(keys) keys for its values")
    }
    return try outputShape(for: inputs[0])
  }
}
