public import TensorIR

/// What training minimises.
public struct Loss: Hashable, Sendable {
  /// How each output is compared with its target.
  public enum Comparison: Hashable, Sendable {
    /// `−Σ q log softmax(z)` over the last axis.
    case softmaxCrossEntropy
    /// `−q log σ(z) − (1 − q) log(1 − σ(z))` per output.
    case binaryCrossEntropy
    /// `(z − q)²` per output.
    case meanSquaredError
  }

  /// How terms are joined to one number.
  public enum Reduction: String, Hashable, Sendable, CaseIterable { case mean, sum }

  public var comparison: Comparison
  /// How far targets are moved towards the uniform distribution.
  ///
  /// - Source: Szegedy et al., *Rethinking the Inception Architecture for Computer Vision*, 2016.
  public var smoothing: Double
  /// How the samples are joined; every axis but the last counts samples.
  public var reduction: Reduction
  /// How the outputs of one sample are joined, where there is a term per output.
  ///
  /// Keras always averages them; PyTorch treats them like samples.
  public var outputReduction: Reduction

  public init(
    _ comparison: Comparison, smoothing: Double = 0, reduction: Reduction = .mean,
    outputReduction: Reduction = .mean
  ) {
    self.comparison = comparison
    self.smoothing = smoothing
    self.reduction = reduction
    self.outputReduction = outputReduction
  }

  /// Cross-entropy of logits, averaged over the samples.
  public static func softmaxCrossEntropy(smoothing: Double = 0) -> Loss {
    Loss(.softmaxCrossEntropy, smoothing: smoothing)
  }

  /// Cross-entropy per output, averaged over all outputs.
  public static let binaryCrossEntropy = Loss(.binaryCrossEntropy)
  /// The squared error, averaged over all outputs.
  public static let meanSquaredError = Loss(.meanSquaredError)

  /// The activation whose output the loss would compare, if it did not take logits.
  var link: ActivationFunction? {
    switch comparison {
    case .softmaxCrossEntropy: .softmax
    case .binaryCrossEntropy: .sigmoid
    case .meanSquaredError: nil
    }
  }
}

extension Loss {
  /// The loss of the network outputs `z` (logits, where the loss has a link function).
  ///
  /// - Shape: output and target `[samples…, outputs]`, the result a scalar. Targets are
  ///   distributions over the last axis, so hard and soft labels are one case.
  public func value(_ output: Value, target: Value, in graph: inout Graph) -> Value {
    let outputs = output.type.shape.last ?? 1
    let total = graph.apply(
      Reduce(.sum, axes: Array(output.type.shape.indices)),
      terms(output, smoothed(target, outputs, in: &graph), in: &graph))
    var divisor = 1
    if reduction == .mean { divisor *= output.type.elementCount / outputs }
    if comparison != .softmaxCrossEntropy, outputReduction == .mean { divisor *= outputs }
    return graph.apply(Multiply(), total, graph.constant(1 / Double(divisor)))
  }

  /// Targets moved towards `1/K`, for K classes or for the two of a binary output.
  private func smoothed(_ target: Value, _ outputs: Int, in graph: inout Graph) -> Value {
    guard smoothing != 0, comparison != .meanSquaredError else { return target }
    let classes = comparison == .binaryCrossEntropy ? 2 : outputs
    return graph.apply(
      Add(), graph.apply(Multiply(), graph.constant(1 - smoothing, target.type), target),
      graph.constant(smoothing / Double(classes), target.type))
  }

  /// One term per output; their sum is the loss before any mean.
  private func terms(_ output: Value, _ target: Value, in graph: inout Graph) -> Value {
    switch comparison {
    case .softmaxCrossEntropy:
      return graph.apply(
        Negate(), graph.apply(Multiply(), target, graph.logSoftmax(output)))
    case .binaryCrossEntropy:
      // softplus(z) − q z, which neither overflows nor cancels.
      return graph.apply(
        Subtract(), graph.softplus(output), graph.apply(Multiply(), target, output))
    case .meanSquaredError:
      let error = graph.apply(Subtract(), output, target)
      return graph.apply(Multiply(), error, error)
    }
  }
}
