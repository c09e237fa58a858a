/// Joins all axes behind the batch axis into one, in stored order.
public struct Flatten: Layer {
  public static let kind = "flatten"
  public init() {}
  public var treatment: InputTreatment { .unchanged }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape { [input.elementCount] }
}
