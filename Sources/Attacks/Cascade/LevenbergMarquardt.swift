internal import LinearAlgebra

/// Nonlinear least squares by damped Gauss-Newton steps, each solved by LSMR on products.
///
/// Residuals and their slope are computed in double precision, and so a step is judged. What LSMR
/// multiplies with besides is in single precision: a step then leaves a little more of the error, and
/// the next takes it. Far from the solution a step is solved no better than its linear model is
/// worth.
///
/// Values in a box that the gradient pushes out of it stay at their bound for a step. Where LSMR keeps
/// reaching its limit and the Jacobian is small enough to be written out, the Cholesky factor of `JᵀJ`
/// at one point preconditions the steps that follow.
///
/// - Source: Nocedal & Wright, *Numerical Optimization*, 2nd edition, §10.3; inexact steps as in
///   Wright & Holt, *An Inexact Levenberg-Marquardt Method*, 1985; how exact, by choice 1 of
///   Eisenstat & Walker, *Choosing the Forcing Terms in an Inexact Newton Method*, 1996.
package struct LevenbergMarquardt {
  package struct Outcome {
    package var point: [Double]
    /// `‖r‖²`.
    package var objective: Double
    var steps: Int
    /// With the Jacobian and its transpose.
    package var products: Int
    /// The factor of `JᵀJ` near the solution, if it was written out.
    var factor: CholeskyDecomposition?
  }

  /// Between which each value stays.
  package var bounds: [ClosedRange<Double>]?
  package var stepLimit = 100
  /// Iterations of LSMR per step.
  var iterationLimit = 200
  /// Products over all steps.
  var productLimit = Int.max
  /// Whether the Jacobian may be written out.
  var mayFactor = false
  /// Damping relative to the curvature along the gradient.
  var damping = 1e-3
  /// Whether the first steps may be solved roughly; near the solution they should not.
  var startsRoughly = true
  /// Stops when a step gains less than this share.
  package var leastGain = 1e-3
  /// Stops when `‖r‖²` is below this.
  package var goal = 0.0
  /// Asked before every step.
  var isCancelled: () -> Bool = { false }
  /// Told of each accepted step: its number, `‖r‖²`, products so far.
  var report: (Int, Double, Int) -> Void = { _, _, _ in }

  package init() {}

  package func solve(
    _ function: some ResidualFunction, from start: [Double]
  ) throws(CascadeStop) -> Outcome {
    var state = State(
      point: start, residuals: try function.residuals(at: start), damping: damping,
      forcing: startsRoughly ? State.roughly : nil)
    while state.steps < stepLimit, state.products < productLimit, state.objective > goal,
      state.objective.isFinite, !isCancelled()
    {
      try function.linearize(at: state.point)
      if mayFactor, state.exhausted >= 2, let factor = try Self.factor(function) {
        state.factor = factor
        state.exhausted = 0
      }
      guard let next = try step(function, &state) else {
        if state.promise >= State.leastPromise, state.sharpen() { continue }
        break
      }
      let gain = (state.objective - next.objective) / state.objective
      state.accept(next)
      report(state.steps, state.objective, state.products)
      // Steps that LSMR could not finish gain little; a factor may help the next.
      let mayImprove = mayFactor && state.exhausted > 0 && state.factor == nil
      if gain < leastGain, !mayImprove, !state.sharpen() { break }
    }
    return Outcome(
      point: state.point, objective: state.objective, steps: state.steps,
      products: state.products, factor: state.factor)
  }

  /// The factor of `JᵀJ` at the point of linearisation.
  private static func factor(
    _ function: some ResidualFunction
  ) throws(CascadeStop) -> CholeskyDecomposition? {
    guard let jacobian = try function.jacobian() else { return nil }
    let gram = jacobian.gram()
    let size = gram.rows
    let trace = (0..<size).reduce(0.0) { $0 + gram[$1, $1] }
    // What single precision knows of the smallest directions is noise.
    let shift = 1e-13 * trace / Double(size)
    var elements = gram.elements
    for index in 0..<size { elements[index * size + index] += shift }
    return CholeskyDecomposition(DenseMatrix(rows: size, columns: size, elements: elements))
  }
}

extension LSMR.Preconditioner {
  /// Makes the columns of `J` nearly orthonormal, given the factor of `JᵀJ`.
  init(_ factor: CholeskyDecomposition) {
    self.init(inverse: factor.lowerTransposeSolve, transposedInverse: factor.lowerSolve)
  }
}
