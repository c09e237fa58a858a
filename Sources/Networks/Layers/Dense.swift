internal import TensorIR

/// A fully connected layer, `y = A·x + b`, on the last axis of its input.
///
/// - Shape: `[…, inputs]` → `[…, outputs]`; weight `[outputs, inputs]`, bias `[outputs]`.
public struct Dense: Layer {
  public static let kind = "dense"

  public var outputs: Int
  public var hasBias: Bool
  /// The number of inputs, where the parameters say it.
  public var inputs: Int?

  public init(outputs: Int, hasBias: Bool = true, inputs: Int? = nil) {
    self.outputs = outputs
    self.hasBias = hasBias
    self.inputs = inputs
  }

  public func parameters(input: Shape) -> [ParameterRole: Shape] {
    let weight: [ParameterRole: Shape] = [.weight: [outputs, input.last ?? inputs]]
    return hasBias ? weight.merging([.bias: [outputs]]) { $1 } : weight
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard let last = input.last else {
      throw ShapeMismatch(input, expected: "a dense layer needs at least one axis")
    }
    if let last, let inputs, last != inputs {
      throw ShapeMismatch(input, expected: "its weights take \(inputs) features")
    }
    return input.dropLast() + [outputs]
  }
}

extension Dense {
  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    role == .weight ? .matrix(shape, in: convention) : ParameterArrangement(shape)
  }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let features = x.type.shape[x.type.rank - 1]
    let weight = try pass.parameter(.weight, [features, outputs])
    let bias = hasBias ? try pass.parameter(.bias, [outputs]) : nil
    return FeatureMap(pass.graph.affine(x, weight, bias))
  }
}
