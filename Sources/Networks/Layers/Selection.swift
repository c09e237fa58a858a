internal import TensorIR

/// One place along an axis, which vanishes, such as the class token of a sequence.
public struct Selection: Layer {
  public static let kind = "select"

  /// Counted without the batch axis, negative from the end.
  public var axis: Int
  /// The place, negative from the end.
  public var index: Int

  public init(axis: Int, index: Int) {
    self.axis = axis
    self.index = index
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard let place = input.axis(axis) else {
      throw ShapeMismatch(input, expected: "a place on axis \(axis)")
    }
    if let extent = input[place], !(-extent..<extent).contains(index) {
      throw ShapeMismatch(input, expected: "place \(index) on axis \(axis)")
    }
    var output = input
    output.remove(at: place)
    return output
  }
}

extension Selection {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].declared(in: &pass.graph)
    let declared = inputs[0].declaredShape.dropFirst().map { Optional($0) }
    let place = (declared.axis(axis) ?? 0) + 1
    let start = index < 0 ? x.type.shape[place] + index : index
    let part = pass.graph.part(x, axis: place, from: start, to: start + 1)
    var shape = x.type.shape
    shape.remove(at: place)
    return FeatureMap(pass.graph.apply(TensorIR.Reshape(to: shape), part))
  }
}
