internal import LinearAlgebra

/// Nonlinear least squares by damped Gauss-Newton steps, each solved by LSMR on products.
///
/// - Source: Nocedal & Wright, *Numerical Optimization*, 2nd edition, §10.3; inexact steps as in
///   Wright & Holt, *An Inexact Levenberg-Marquardt Method*, 1985.
package struct LevenbergMarquardt {
  package struct Outcome {
    package var point: [Double]
    /// `‖r‖²`.
    package var objective: Double
    var steps: Int
    var products: Int
  }

  package var range: ClosedRange<Double>?
  package var stepLimit = 40
  var productLimit = 200
  /// Products over all steps.
  var totalProductLimit = Int.max
  /// Up to so many unknowns, steps that converge badly get dense normal equations as preconditioner.
  var jacobianLimit = 0
  /// Damping relative to the curvature along the gradient.
  var damping = 1e-3
  /// Stops when a step gains less than this share.
  package var leastGain = 1e-3
  /// Stops when `‖r‖²` is below this.
  var goal = 0.0
  /// Asked before every step.
  var isCancelled: () -> Bool = { false }
  /// Told of each accepted step: its number, `‖r‖²`, products so far.
  var report: (Int, Double, Int) -> Void = { _, _, _ in }

  package init() {}

  package func solve(
    _ function: some ResidualFunction, from start: [Double]
  ) throws(CascadeStop) -> Outcome {
    var x = start
    var residuals = try function.residuals(at: x)
    var objective = Self.energy(residuals)
    var (lambda, products, steps) = (damping, 0, 0)
    search: while steps < stepLimit, products < totalProductLimit, objective > goal, objective.isFinite, !isCancelled() {
      try function.linearize(at: x)
      var gradient = try function.pull(residuals)
      // A value at its bound that would leave the box stays where it is in this step.
      let isHeld = range.map { range in
        x.indices.map {
          x[$0] <= range.lowerBound && gradient[$0] > 0
            || x[$0] >= range.upperBound && gradient[$0] < 0
        }
      }
      func free(_ v: [Double]) -> [Double] {
        guard let isHeld else { return v }
        return v.indices.map { isHeld[$0] ? 0 : v[$0] }
      }
      gradient = free(gradient)
      let norm = Self.energy(gradient)
      guard norm > 0 else { break }
      let along = try function.push(gradient)
      products += 2
      let curvature = Self.energy(along) / norm
      var accepted: (x: [Double], residuals: [Double], objective: Double)?
      for _ in 0..<8 {
        let outcome = try LSMR.solve(
          columns: x.count, rightHandSide: residuals.map { -$0 },
          damping: (lambda * curvature).squareRoot(), tolerance: 1e-7,
          iterationLimit: productLimit
        ) { (v: [Double]) throws(CascadeStop) in
          try function.push(free(v))
        } transpose: { (u: [Double]) throws(CascadeStop) in
          free(try function.pull(u))
        }
        products += 2 * outcome.iterations
        let candidate = zip(x, outcome.solution).map { old, step in
          range.map { min(max(old + step, $0.lowerBound), $0.upperBound) } ?? old + step
        }
        let trial = try function.residuals(at: candidate)
        let value = Self.energy(trial)
        if value < objective {
          accepted = (candidate, trial, value)
          break
        }
        lambda = lambda * 10 + 1e-12
        if isCancelled() { break }
      }
      guard let accepted else { break search }
      steps += 1
      let gain = (objective - accepted.objective) / objective
      (x, residuals, objective) = accepted
      lambda = max(lambda / 5, 1e-14)
      report(steps, objective, products)
      if gain < leastGain { break }
    }
    return Outcome(point: x, objective: objective, steps: steps, products: products)
  }

  private static func energy(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }
  }
}
