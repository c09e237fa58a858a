internal import Tensors

extension CascadeSearch {
  /// Multiply-adds that a polish may cost where the certificate is good already.
  private static let polishBudget = 6e10
  /// Certificates that signs at kinks may be to blame for: above rounding, and near the solution.
  private static let crossingRange = 3e-6..<0.02

  /// How far off a solution on every gradient may be.
  func measure(
    _ everything: GradientResiduals, _ outcome: LevenbergMarquardt.Outcome, iterations: Int
  ) throws(CascadeStop) {
    let doubt = try InputUncertainty(
      everything, at: outcome.point, errors: nil, iterations: iterations,
      factor: outcome.factor)
    let excess = max(1, (outcome.objective / Double(everything.count)).squareRoot())
    predictedError = min(doubt.error * excess, predictedError)
    determinedShare = max(determinedShare, doubt.share)
  }

  /// Refines a solution on every gradient, as far as the cost allows.
  func polish(_ everything: GradientResiduals) throws(CascadeStop) {
    guard let start = input else { return }
    var point = start
    certificate = try everything.relativeError(at: point)
    if Self.crossingRange.contains(certificate), !isLate() {
      let crossing = try KinkCrossing(walk, from: point, error: certificate) {
        (x: [Double]) throws(CascadeStop) in try everything.relativeError(at: x)
      }
      if crossing.count > 0 {
        (point, certificate) = (crossing.point, crossing.error)
        input = point
        account.append(
          "\(crossing.count) entries next to zero were moved to the side that single precision "
            + "took")
      }
    }
    let before = try everything.residuals(at: point)
    let objective = before.reduce(0) { $0 + $1 * $1 }
    let price = 8 * Double(max(walk.multiplyAdds, 1))
    let products = Int((certificate < 1e-5 ? Self.polishBudget : max(budget, 0)) / price)
    let isAtFloor = objective <= 4 * Double(everything.count)
    if !isAtFloor, products >= 60, !isLate() {
      var marquardt = marquardt("on every gradient")
      marquardt.stepLimit = 8
      marquardt.iterationLimit = min(300, products / 6)
      marquardt.productLimit = products
      marquardt.goal = Double(everything.count)
      marquardt.mayFactor = certificate >= 1e-5
      let outcome = try marquardt.solve(everything, from: point)
      if outcome.objective < objective {
        point = outcome.point
        account.append(
          "\(outcome.steps) steps of least squares on every gradient refined the input")
      }
      input = point
      certificate = try everything.relativeError(at: point)
      if certificate < 0.02 {
        try measure(everything, outcome, iterations: min(120, products / 4))
      }
    }
  }
}
