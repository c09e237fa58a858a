/// Combines several tensors: sums, products, concatenation and their like.
public struct Merge: Layer {
  public static let kind = "merge"

  /// What becomes of the tensors.
  ///
  /// Axes are counted without the batch axis, negative ones from the end. Element by element,
  /// extents of 1 and missing leading axes stand for any extent.
  public enum Operation: Hashable, Sendable {
    case add, subtract, multiply, average, maximum, minimum
    case concatenate(axis: Int)
    /// Sums of products over one axis of each of two tensors.
    case dot(axes: [Int])
    /// An operation by name, of which the file says no more.
    case unstated(String)
  }

  public var operation: Operation

  public init(_ operation: Operation) { self.operation = operation }

  public var detail: String? {
    switch operation {
    case .add: "Add"
    case .subtract: "Subtract"
    case .multiply: "Multiply"
    case .average: "Average"
    case .maximum: "Maximum"
    case .minimum: "Minimum"
    case .concatenate: "Concatenate"
    case .dot: "Dot"
    case .unstated(let name): name
    }
  }

  /// Whether every arriving element leaves as it is.
  public var passesElementsOn: Bool {
    if case .concatenate = operation { true } else { false }
  }

  public func outputShape(joining inputs: [Shape]) throws(ShapeMismatch) -> Shape? {
    guard let first = inputs.first else { return nil }
    switch operation {
    case .add, .subtract, .multiply, .average, .maximum, .minimum:
      return try elementwise(inputs)
    case .concatenate(let axis):
      guard let place = first.axis(axis) else {
        throw ShapeMismatch(first, expected: "concatenation along axis \(axis)")
      }
      return try concatenated(inputs, place)
    case .dot(let axes):
      guard inputs.count == 2, axes.count == 2, let left = first.axis(axes[0]),
        let right = inputs[1].axis(axes[1])
      else { throw ShapeMismatch(first, expected: "products need two tensors with axes \(axes)") }
      if let one = first[left], let other = inputs[1][right], one != other {
        throw ShapeMismatch(inputs[1], expected: "axis \(right) has to be \(one) long")
      }
      var (kept, added) = (first, inputs[1])
      kept.remove(at: left)
      added.remove(at: right)
      return (kept + added).isEmpty ? [1] : kept + added
    case .unstated: return inputs.count == 1 ? first : nil
    }
  }

  private func elementwise(_ inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    let rank = inputs.map(\.count).max() ?? 0
    var output: Shape = []
    for axis in 0..<rank {
      let arriving = inputs.compactMap { shape -> Int?? in
        let place = axis - rank + shape.count
        return place < 0 ? nil : .some(shape[place])
      }
      let extents = Set(arriving.compactMap { $0 }.filter { $0 != 1 })
      guard extents.count <= 1 else {
        throw ShapeMismatch(
          inputs[1], expected: "it meets \(inputs[0].text), and axis \(axis) differs")
      }
      output.append(extents.first ?? (arriving.contains { $0 == nil } ? nil : 1))
    }
    return output
  }

  private func concatenated(_ inputs: [Shape], _ axis: Int) throws(ShapeMismatch) -> Shape {
    var output = inputs[0]
    for shape in inputs.dropFirst() {
      guard shape.count == output.count else {
        throw ShapeMismatch(shape, expected: "it meets \(inputs[0].text), with other axes")
      }
      for place in shape.indices {
        if place == axis {
          output[place] = output[place].flatMap { total in shape[place].map { total + $0 } }
        } else if let one = output[place], let other = shape[place], one != other {
          throw ShapeMismatch(
            shape, expected: "it meets \(inputs[0].text), and axis \(place) differs")
        } else {
          output[place] = output[place] ?? shape[place]
        }
      }
    }
    return output
  }
}
