/// Normalises each channel by batch statistics in training and by running statistics in inference.
public struct BatchNormalization: Layer {
  public static let kind = "batch-normalization"

  /// The normalised axis of the input, counted without the batch axis; `nil` is the last.
  public var axis: Int?

  public init(axis: Int? = nil) { self.axis = axis }

  public func parameters(input: Shape) -> [ParameterRole: Shape] {
    let extent: Int?
    if let axis {
      extent = input.indices.contains(axis) ? input[axis] : nil
    } else {
      extent = input.last ?? nil
    }
    return [
      .scale: [extent], .shift: [extent], .runningMean: [extent], .runningVariance: [extent],
    ]
  }
}
