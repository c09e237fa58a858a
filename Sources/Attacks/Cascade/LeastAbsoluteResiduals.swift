internal import LinearAlgebra

/// Least absolute residuals on a known map, from where least squares on it came to a halt.
///
/// What a max pooling or a ReLU gives is linear in the input as long as its winners and signs hold. Where
/// a few of them are wrong, least squares spread what these miss over all entries, which moves no
/// winner. The sum of absolute values is lowest where most entries are met exactly; those with
/// a wrong winner then stand out, and find the right one as the input falls into place.
///
/// - Source: iteratively reweighted least squares: Schlossmacher, *An Iterative Technique for Absolute
///   Deviations Curve Fitting*, Journal of the American Statistical Association 68, 1973.
package struct LeastAbsoluteResiduals {
  let features: FrontierResiduals
  /// One step with the weights at hand.
  let step: LevenbergMarquardt

  package struct Outcome {
    package var point: [Double]
    /// Mean absolute residual of an entry of the map, in units of its size.
    var mean: Double
    var rounds = 0
    var products = 0
  }

  package init(features: FrontierResiduals, step: LevenbergMarquardt) {
    (self.features, self.step) = (features, step)
  }

  private static let roundLimit = 40
  /// Residuals of single precision.
  private static let goal = 1e-8
  /// Ends where a round lowers the mean by less than this share, as under noise it does.
  private static let leastGain = 0.03
  /// Weights are bounded at this share of the mean; less makes steps dear and gains nothing.
  private static let floor = 0.2

  /// - Throws: ``CascadeStop`` if a program fails.
  package func solve(from start: [Double]) throws(CascadeStop) -> Outcome {
    let weights = features.compared.targetWeights
    defer { features.compared.targetWeights = weights }
    var point = start
    var best = Outcome(point: start, mean: .infinity)
    for round in 0...Self.roundLimit {
      features.compared.targetWeights = weights
      let sizes = try features.residuals(at: point).prefix(weights.count).map(abs)
      let mean = sizes.reduce(0, +) / Double(max(features.equalities, 1))
      guard mean < (1 - Self.leastGain) * best.mean else { break }
      (best.point, best.mean, best.rounds) = (point, mean, round)
      guard mean > Self.goal else { break }
      features.compared.targetWeights = weights.indices.map {
        weights[$0] / (sizes[$0] / mean + Self.floor).squareRoot()
      }
      let next = try step.solve(features, from: point)
      best.products += next.products
      point = next.point
    }
    return best
  }
}
