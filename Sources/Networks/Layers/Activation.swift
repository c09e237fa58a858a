/// A scalar function of every element, or softmax over the last axis.
public struct Activation: Layer {
  public static let kind = "activation"

  public var function: ActivationFunction

  public init(_ function: ActivationFunction) { self.function = function }

  public var treatment: InputTreatment {
    switch function {
    case .linear: .unchanged
    case .softmax, .unknown: .mixed
    default: .elementwise(function)
    }
  }

  public var detail: String? { function.name }
}
