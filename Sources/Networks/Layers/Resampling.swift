/// Changes extents or order: padding, cropping, up-sampling, permuting, repeating.
///
/// Axes are counted without the batch axis.
public struct Resampling: Layer {
  public static let kind = "resampling"

  /// How new elements follow from old ones.
  public enum Interpolation: Hashable, Sendable {
    /// The element it lies in.
    case nearest
    /// Linear between the two nearest centres along each axis; with `alignsCorners` the first and
    /// the last centres of both grids coincide, else their outer edges do.
    case linear(alignsCorners: Bool)
  }

  public enum Operation: Hashable, Sendable {
    /// Zeros before and behind each spatial axis.
    case pad(low: [Int], high: [Int])
    /// Leaves out elements before and behind each spatial axis.
    case crop(low: [Int], high: [Int])
    /// Each spatial axis a whole number of times as long.
    case upsample(factors: [Int], Interpolation)
    /// Axis `i` of the result is axis `order[i]`.
    case permute([Int])
    /// A vector as every row of `count` rows.
    case repeated(Int)
    /// A class by name, of which the file says no more than, perhaps, the shape behind it.
    case unstated(String, output: Shape?)
  }

  public var operation: Operation
  public var channelsFirst: Bool

  public init(_ operation: Operation, channelsFirst: Bool = false) {
    self.operation = operation
    self.channelsFirst = channelsFirst
  }

  public var detail: String? {
    switch operation {
    case .pad: "zero padding"
    case .crop: "cropping"
    case .upsample(_, .nearest): "nearest up-sampling"
    case .upsample(_, .linear): "linear up-sampling"
    case .permute: "permuted axes"
    case .repeated: "repetition"
    case .unstated(let name, _): name
    }
  }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    switch operation {
    case .pad(let low, let high):
      return try changed(input, low, high) { $0 + low[$1] + high[$1] }
    case .crop(let low, let high):
      return try changed(input, low, high) { $0 - low[$1] - high[$1] }
    case .upsample(let factors, _): return try changed(input, factors, factors) { $0 * factors[$1] }
    case .permute(let order):
      guard order.sorted() == Array(input.indices) else {
        throw ShapeMismatch(input, expected: "axes in the order \(order)")
      }
      return order.map { input[$0] }
    case .repeated(let count):
      guard input.count == 1, count > 0 else {
        throw ShapeMismatch(input, expected: "repetition needs one axis")
      }
      return [count] + input
    case .unstated(_, let output): return output ?? input.map { _ in nil }
    }
  }

  private func changed(
    _ input: Shape, _ low: [Int], _ high: [Int], _ extent: (Int, Int) -> Int
  ) throws(ShapeMismatch) -> Shape {
    guard !low.isEmpty, low.count == high.count, input.count == low.count + 1,
      (low + high).allSatisfy({ $0 >= 0 })
    else { throw ShapeMismatch(input, expected: "\(low.count) spatial axes and a channel axis") }
    var output = input
    for axis in low.indices {
      let place = axis + (channelsFirst ? 1 : 0)
      guard let old = input[place] else { continue }
      let new = extent(old, axis)
      guard new > 0 else { throw ShapeMismatch(input, expected: "nothing of it would be left") }
      output[place] = new
    }
    return output
  }
}
