package import Networks
package import TensorIR
package import Tensors

/// Why a gradient or an update cannot be simulated.
package struct SimulationError: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable {
    case noArchitecture(isInferred: Bool)
    case severalInputs(Int)
    case layer(UnsupportedLayer)
    case parameter(ParameterMismatch)
    case loss(name: String, outputs: [Int])
    case samples(shape: [Int])
    case inputShape([Int], needed: Shape)
    case input(Double, sample: Int)
    case token(Double, sample: Int, tokens: Int)
    case noLabels
    case labelCount(Int, samples: Int)
    case label(Double, sample: Int, classes: Int?)
    case notFinite(layer: String, step: Int)
    case beyondFormat(layer: String, value: Double, kind: ElementKind)
    case backend(BackendError)
  }

  /// What the reason is about.
  package enum Subject: Hashable, Sendable { case model, inputs, labels, settings }

  package let reason: Reason

  package init(_ reason: Reason) { self.reason = reason }

  package var subject: Subject {
    switch reason {
    case .noArchitecture, .severalInputs, .layer, .parameter, .loss: .model
    case .samples, .inputShape, .input, .token: .inputs
    case .noLabels, .labelCount, .label: .labels
    case .notFinite, .beyondFormat, .backend: .settings
    }
  }

  /// What was found → what is needed → what to do.
  package var explanation: String {
    switch reason {
    case .noArchitecture(let isInferred):
      (isInferred
        ? "its architecture is only guessed from names and shapes" : "it has no architecture")
        + "; activations and strides are needed to compute a gradient. Save the whole model, or "
        + "export it as Documentation/Exporting.md describes."
    case .severalInputs(let count):
      "the model has \(count) inputs; one is needed. Export the gradient from your framework."
    case .layer(let layer):
      "\(layer.description); a layer that can be computed is needed. Export the gradient from your "
        + "framework."
    case .parameter(let mismatch):
      "\(mismatch.description). Save the weights and the architecture of one model together."
    case .loss(let name, let outputs):
      "its loss is \(name) of outputs \((outputs as [Int?]).text); a softmax cross-entropy over "
        + "classes, or a binary one of a single output, is needed. Export the gradient from your "
        + "framework."
    case .samples(let shape):
      "its inputs are of shape \((shape as [Int?]).text); samples along the first axis are needed. "
        + "Write them as [samples, …]."
    case .inputShape(let found, let needed):
      "each sample is of shape \((found as [Int?]).text); the model needs \(needed.text). Reorder or "
        + "resize the samples."
    case .input(let value, let sample):
      "sample \(sample) holds \(value); finite numbers are needed. Write the samples again."
    case .token(let value, let sample, let tokens):
      "sample \(sample) holds \(value); whole numbers from 0 to \(tokens - 1) are needed, since an "
        + "embedding reads them. Write the token numbers."
    case .noLabels:
      "it holds no labels; one class for each sample is needed. Give --labels, such as --labels 3,1,4."
    case .labelCount(let found, let samples):
      "\(found) labels for \(samples) samples; one for each is needed. Give as many."
    case .label(let label, let sample, let classes):
      "the label of sample \(sample) is \(label.formatted); a whole number from 0"
        + (classes.map { " to \($0 - 1)" } ?? "") + " is needed. Count classes from 0."
    case .notFinite(let layer, let step):
      "step \(step) gives numbers that are not finite in layer '\(layer)'; finite weights and a "
        + "training that does not diverge are needed. Check the weights, or lower --learning-rate."
    case .beyondFormat(let layer, let value, let kind):
      "layer '\(layer)' holds \(value), which \(kind.rawValue) cannot; smaller numbers are needed. "
        + "Store them with more bits, or clip."
    case .backend(let error): "the processor cannot run it: \(error.description)."
    }
  }
}

extension Double {
  /// Without a point where it is whole.
  fileprivate var formatted: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}
