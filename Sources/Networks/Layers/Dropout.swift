/// Noise that acts in training only: dropout, Gaussian noise, stochastic depth, masking.
public struct Dropout: Layer {
  public static let kind = "dropout"

  /// The probability of dropping an element, where the file states it.
  public var rate: Double

  public init(rate: Double) { self.rate = rate }
  public var treatment: InputTreatment { rate == 0 ? .unchanged : .unchangedAtInference }
}
