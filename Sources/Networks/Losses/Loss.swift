public import TensorIR

/// What training minimises: the mean over the samples of a batch.
public enum Loss: Hashable, Sendable {
  /// `−Σ q log softmax(z)` with the target `q` smoothed towards the uniform distribution.
  ///
  /// - Source: Szegedy et al., *Rethinking the Inception Architecture for Computer Vision*, 2016.
  case softmaxCrossEntropy(smoothing: Double)
  /// `−Σ q log σ(z) + (1 − q) log(1 − σ(z))`, averaged over all outputs.
  case binaryCrossEntropy
  /// `(z − q)²`, averaged over all outputs.
  case meanSquaredError

  /// The loss of the network outputs `z` (logits, where the loss has a link function).
  ///
  /// - Shape: output and target `[samples, …]`, the result a scalar. Targets are distributions over
  ///   the last axis, so hard and soft labels are one case.
  public func value(_ output: Value, target: Value, in graph: inout Graph) -> Value {
    let axes = Array(output.type.shape.indices)
    let classes = output.type.shape.last ?? 1
    let total: Value
    let count: Int
    switch self {
    case .softmaxCrossEntropy(let smoothing):
      let logarithms = graph.logSoftmax(output)
      var smoothed = target
      if smoothing != 0 {
        let kept = graph.constant(1 - smoothing, target.type)
        smoothed = graph.apply(
          Add(), graph.apply(Multiply(), kept, target),
          graph.constant(smoothing / Double(classes), target.type))
      }
      total = graph.apply(
        Negate(),
        graph.apply(Reduce(.sum, axes: axes), graph.apply(Multiply(), smoothed, logarithms)))
      count = output.type.elementCount / classes
    case .binaryCrossEntropy:
      // softplus(z) − q z, which neither overflows nor cancels.
      let terms = graph.apply(
        Subtract(), graph.softplus(output), graph.apply(Multiply(), target, output))
      total = graph.apply(Reduce(.sum, axes: axes), terms)
      count = output.type.elementCount
    case .meanSquaredError:
      let error = graph.apply(Subtract(), output, target)
      total = graph.apply(
        Reduce(.sum, axes: axes), graph.apply(Multiply(), error, error))
      count = output.type.elementCount
    }
    return graph.apply(
      Multiply(), total, graph.constant(1 / Double(count)))
  }
}
