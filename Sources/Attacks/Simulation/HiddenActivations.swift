internal import Networks
internal import Tensors

/// Finds out which activations follow the dense layers of a network whose file does not say.
///
/// Two neighbouring layers whose inputs were both recovered show it: `φ(A x + b)` must be the next
/// layer's input.
enum HiddenActivations {
  private static let candidates: [ActivationFunction] = [
    .linear, .relu, .sigmoid, .tanh, .leakyReLU(slope: 0.01), .leakyReLU(slope: 0.2),
    .leakyReLU(slope: 0.3), .elu(alpha: 1), .gelu(approximate: false), .gelu(approximate: true),
    .silu, .softplus, .selu, .softsign, .relu6, .hardSigmoid,
  ]

  /// - Returns: the function behind each dense layer but the last, where it is certain.
  static func identify(
    _ observation: Observation, _ knowledge: Knowledge
  ) -> [Int: ActivationFunction] {
    let dense = observation.denseNodes
    var found: [Int: ActivationFunction] = [:]
    for (node, next) in zip(dense, dense.dropFirst()) {
      guard let below = knowledge.recoveries[node], let above = knowledge.recoveries[next],
        below.samples.count == 1, above.samples.count == 1,
        let weights = observation.weights.matrix(node), weights.inputs == below.samples[0].count
      else { continue }
      let bias = observation.weights.bias(node) ?? [Double](repeating: 0, count: weights.outputs)
      let z = zip(weights(below.samples[0]), bias).map { $0 + $1 }
      let target = above.samples[0]
      guard target.count == z.count, target.norm > 0 else { continue }
      found[node] = candidates.first { function in
        let gap = zip(z, target).map { (function.value($0) ?? .nan) - $1 }
        return gap.norm <= 1e-3 * target.norm
      }
    }
    return found
  }
}
