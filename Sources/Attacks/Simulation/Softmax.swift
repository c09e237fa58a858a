internal import Networks

/// Softmax, computed without overflow.
enum Softmax {
  static func probabilities(_ logits: [Double]) -> [Double] {
    let peak = logits.max() ?? 0
    let weights = logits.map { ActivationFunction.exponential.value($0 - peak) ?? 0 }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }
}
