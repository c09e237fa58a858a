internal import Networks
internal import Tensors

/// The loss gradient behind the output layer as the features tell it: under softmax cross-entropy it is
/// `p − y`.
///
/// What is observed of the gradient has the last word: another loss shows in it.
struct SoftmaxHead {
  private let weight: Matrix
  private let bias: [Double]
  private let features: [Double]
  /// As it was observed; zero where it was dropped.
  private let observed: [Double]
  private let label: Int

  /// - Returns: `nil` if the layer is not the output layer, or no class stands out.
  init?(_ recovery: Knowledge.Recovery, _ observation: Observation) {
    guard recovery.node == observation.classifier, let observed = recovery.outputGradient,
      let weight = observation.weights.matrix(recovery.node), observed.count == weight.outputs,
      let label = observed.indices.min(by: { observed[$0] < observed[$1] }), observed[label] < 0
    else { return nil }
    self.weight = weight
    bias = observation.weights.bias(recovery.node) ?? observed.map { _ in 0 }
    features = recovery.samples[0]
    self.observed = observed
    self.label = label
  }

  /// In the units of what was observed.
  ///
  /// - Parameter tolerances: How far off each observed entry may be.
  /// - Returns: `nil` where that disagrees with what was observed.
  func gradient(tolerances: [Double]) -> [Double]? {
    let expected = self.expected(dividedBy: 1)
    let scale = scale(of: expected)
    guard scale > 0, scale.isFinite else { return nil }
    let gradient = expected.map { $0 * scale }
    let isMet = observed.indices.allSatisfy {
      abs(gradient[$0] - observed[$0]) <= tolerances[$0]
    }
    return isMet ? gradient : nil
  }

  /// The factor that belongs to the gradient, and its inverse to the features.
  ///
  /// All rows of a weight gradient fix the two but for a factor, which the bias gradient alone shows; it is
  /// one column of many, and coarse numbers or noise make it the worst known. That `p − y` is the gradient
  /// of the same features fixes it better.
  ///
  /// - Parameter error: Length of the error of the bias gradient.
  /// - Returns: `nil` where the loss is another one, or carries a factor.
  func balance(error: Double) -> Double? {
    var (last, now) = (1.0, 1 / scale(of: expected(dividedBy: 1)))
    func gap(_ factor: Double) -> Double {
      factor - 1 / scale(of: expected(dividedBy: factor))
    }
    var lastGap = gap(last)
    for _ in 0..<20 where abs(now - last) > 1e-13 {
      let gapNow = gap(now)
      guard gapNow != lastGap, now.isFinite else { break }
      (last, lastGap, now) = (now, gapNow, now - gapNow * (now - last) / (gapNow - lastGap))
    }
    guard now.isFinite, abs(now - 1) * observed.norm <= 4 * error else { return nil }
    let distance = zip(expected(dividedBy: now), observed).map { $0 - now * $1 }.norm
    return distance <= 4 * error ? now : nil
  }

  /// `p − y` of the features divided by a factor.
  private func expected(dividedBy factor: Double) -> [Double] {
    let logits = zip(weight(features.map { $0 / factor }), bias).map { $0 + $1 }
    var result = Softmax.probabilities(logits)
    result[label] -= 1
    return result
  }

  /// Of the loss, by least squares over what was kept.
  private func scale(of expected: [Double]) -> Double {
    let (product, square) = observed.indices.reduce(into: (0.0, 0.0)) { sums, index in
      guard observed[index] != 0 else { return }
      sums.0 += observed[index] * expected[index]
      sums.1 += expected[index] * expected[index]
    }
    return product / square
  }
}
