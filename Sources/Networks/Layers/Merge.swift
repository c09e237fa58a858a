internal import TensorIR

/// Combines several tensors: add, multiply, concatenate and their like.
public struct Merge: Layer {
  public static let kind = "merge"

  /// The class name the file uses, such as `Add` or `Concatenate`.
  public var operation: String

  public init(operation: String) { self.operation = operation }
  public var detail: String? { operation }

  /// The shape behind the merge, where it follows from the arriving shapes.
  func outputShape(merging shapes: [Shape]) -> Shape? {
    guard let first = shapes.first else { return nil }
    guard operation.lowercased() == "concatenate" else {
      return operation.lowercased() == "dot" ? nil : first
    }
    var total = 0
    for shape in shapes {
      guard shape.count == first.count, let last = shape.last ?? nil else { return nil }
      total += last
    }
    return first.dropLast() + [total]
  }
}

extension Merge {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    guard operation.lowercased() == "add",
      inputs.allSatisfy({ $0.declaredShape == inputs[0].declaredShape })
    else { throw UnsupportedLayer(self, "only sums of equal shapes are expressed so far") }
    let isHeld = inputs.allSatisfy(\.isHeldChannelsLast)
    let values = inputs.map { isHeld ? $0.value : $0.declared(in: &pass.graph) }
    let sum = values.dropFirst().reduce(values[0]) { pass.graph.apply(Add(), $0, $1) }
    return FeatureMap(sum, isHeldChannelsLast: isHeld)
  }
}
