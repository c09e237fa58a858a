internal import TensorIR

/// A scalar function of every element, or softmax over the last axis.
public struct Activation: Layer {
  public static let kind = "activation"

  public var function: ActivationFunction

  public init(_ function: ActivationFunction) { self.function = function }

  public var treatment: InputTreatment {
    switch function {
    case .linear: .unchanged
    case .softmax, .logSoftmax, .unknown: .mixed
    default: .elementwise(function)
    }
  }

  public var detail: String? { function.name }

  public func outputShape(for input: Shape) throws(ShapeMismatch) -> Shape {
    if function == .softmax || function == .logSoftmax, input.isEmpty {
      throw ShapeMismatch(input, expected: "a softmax needs at least one axis")
    }
    return input
  }
}

extension Activation {
  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    if function == .softmax || function == .logSoftmax {
      // The declared last axis is what softmax normalises.
      let logarithms = pass.graph.logSoftmax(inputs[0].declared(in: &pass.graph))
      return FeatureMap(
        function == .logSoftmax ? logarithms : pass.graph.apply(Exponential(), logarithms))
    }
    guard let value = function.expression(inputs[0].value, in: &pass.graph) else {
      throw UnsupportedLayer(self, "the function is not known here")
    }
    return inputs[0].replacing(value)
  }
}
