internal import TensorIR

/// Learned numbers added to each position of every sample.
///
/// - Shape: `[positions, width]`, as are the numbers, which a table holds `[1, positions, width]`.
public struct PositionEmbedding: Layer {
  public static let kind = "position-embedding"

  public init() {}

  private static let position = ParameterRole.other("position")

  public func parameters(input: Shape) -> [ParameterRole: Shape] { [Self.position: [1] + input] }
}

extension PositionEmbedding {
  public func ownRole(for role: ParameterRole) -> ParameterRole { Self.position }

  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement { ParameterArrangement(shape).reshaped([1] + shape) }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let position = try pass.parameter(Self.position, Array(x.type.shape.dropFirst()))
    let copies = pass.graph.apply(
      BroadcastInDim(shape: x.type.shape, axes: position.type.shape.indices.map { $0 + 1 }),
      position)
    return FeatureMap(pass.graph.apply(Add(), x, copies))
  }
}
