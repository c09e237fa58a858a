/// Changes extents or order without arithmetic: padding, cropping, up-sampling, permuting.
public struct Resampling: Layer {
  public static let kind = "resampling"

  /// The class name the file uses.
  public var name: String
  /// Maps the arriving shape to the leaving one; `nil` where the configuration leaves it open.
  public var shape: @Sendable (Shape) -> Shape?

  public init(name: String, shape: @escaping @Sendable (Shape) -> Shape? = { _ in nil }) {
    self.name = name
    self.shape = shape
  }

  public var detail: String? { name }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    guard let result = shape(input) else {
      throw ShapeMismatch(input, expected: "\(name) cannot take it")
    }
    return result
  }
}
