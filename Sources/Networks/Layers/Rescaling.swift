internal import TensorIR

/// Multiplies every element by a constant and adds another.
public struct Rescaling: Layer {
  public static let kind = "rescaling"

  public var scale: Double
  public var offset: Double

  public init(scale: Double, offset: Double) {
    self.scale = scale
    self.offset = offset
  }

  public var treatment: InputTreatment {
    scale == 0 ? .mixed : .affine(scale: scale, offset: offset)
  }
}

extension Rescaling {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let scaled = pass.graph.scaled(inputs[0].value, by: scale)
    return inputs[0].replacing(pass.graph.shifted(scaled, by: offset))
  }
}
