internal import TensorIR

/// Gives the same elements, in the same order, another shape.
public struct Reshape: Layer {
  public static let kind = "reshape"

  /// The new extents; one may be `nil` and is then computed.
  public var target: Shape

  public init(target: Shape) { self.target = target }
  public var treatment: InputTreatment { .unchanged }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard let count = input.elementCount else { return target }
    let known = target.compactMap { $0 }.reduce(1) { $0.multipliedReportingOverflow(by: $1).0 }
    let open = target.count { $0 == nil }
    guard known > 0, open == 0 ? known == count : open == 1 && count % known == 0 else {
      throw ShapeMismatch(input, expected: "a reshape to \(target.text) needs as many elements")
    }
    return target.map { $0 ?? count / known }
  }
}

extension Reshape {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let samples = x.type.shape[0]
    let count = x.type.elementCount / samples
    let known = target.compactMap { $0 }.reduce(1, *)
    return FeatureMap(
      pass.graph.apply(
        TensorIR.Reshape(to: [samples] + target.map { $0 ?? count / known }), x))
  }
}
