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
