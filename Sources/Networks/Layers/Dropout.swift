/// Noise that acts in training only: dropout, Gaussian noise, stochastic depth, masking.
public struct Dropout: Layer {
  public static let kind = "dropout"

  /// The probability of dropping an element, where the file states it.
  public var rate: Double

  public init(rate: Double) { self.rate = rate }
  public var treatment: InputTreatment { rate == 0 ? .unchanged : .unchangedAtInference }
}

extension Dropout {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    guard pass.mode == .inference || rate == 0 else {
      throw UnsupportedLayer(self, "what it drops in training is not known")
    }
    return inputs[0]
  }
}
