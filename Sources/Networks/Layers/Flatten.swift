internal import TensorIR

/// Joins all axes behind the batch axis into one, in stored order.
public struct Flatten: Layer {
  public static let kind = "flatten"
  public init() {}
  public var treatment: InputTreatment { .unchanged }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape { [input.elementCount] }
}

extension Flatten {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let samples = x.type.shape[0]
    return FeatureMap(
      pass.graph.apply(TensorIR.Reshape(to: [samples, x.type.elementCount / samples]), x))
  }
}
