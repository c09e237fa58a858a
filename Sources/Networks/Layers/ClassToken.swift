internal import TensorIR

/// A learned row in front of the rows of a sequence.
///
/// - Shape: `[positions, width]` → `[positions + 1, width]`; the token `[1, 1, width]`.
public struct ClassToken: Layer {
  public static let kind = "class-token"

  public init() {}

  private static let token = ParameterRole.other("token")

  public func parameters(input: Shape) -> [ParameterRole: Shape] {
    [Self.token: [1, 1, input.last ?? nil]]
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard input.count == 2 else {
      throw ShapeMismatch(input, expected: "a class token needs positions and features")
    }
    return [input[0].map { $0 + 1 }, input[1]]
  }
}

extension ClassToken {
  public func ownRole(for role: ParameterRole) -> ParameterRole { Self.token }

  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement { ParameterArrangement(shape).reshaped([1, 1] + shape) }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let (samples, width) = (x.type.shape[0], x.type.shape[2])
    let token = try pass.parameter(Self.token, [width])
    let rows = pass.graph.apply(BroadcastInDim(shape: [samples, 1, width], axes: [2]), token)
    return FeatureMap(pass.graph.apply(Concatenate(axis: 1), rows, x))
  }
}
