internal import LinearAlgebra

/// Nonlinear least squares by damped Gauss-Newton steps, each solved by LSMR on products.
///
/// Values in a box that the gradient pushes out of it stay at their bound for a step. Where LSMR keeps
/// reaching its limit and the Jacobian is small enough to be written out, the Cholesky factor of `JᵀJ`
/// at one point preconditions the steps that follow.
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
    /// The factor of `JᵀJ` near the solution, if it was written out.
    var factor: CholeskyDecomposition?
  }

  package var range: ClosedRange<Double>?
  package var stepLimit = 40
  /// Iterations of LSMR per step.
  var iterationLimit = 200
  /// Products over all steps.
  var productLimit = Int.max
  /// Whether the Jacobian may be written out.
  var mayFactor = false
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
    var state = State(point: start, residuals: try function.residuals(at: start), damping: damping)
    while state.steps < stepLimit, state.products < productLimit, state.objective > goal,
      state.objective.isFinite, !isCancelled()
    {
      try function.linearize(at: state.point)
      if mayFactor, state.exhausted >= 2, let factor = try Self.factor(function) {
        state.factor = factor
        state.exhausted = 0
      }
      guard let next = try step(function, &state) else { break }
      let gain = (state.objective - next.objective) / state.objective
      (state.point, state.residuals, state.objective) = (next.point, next.residuals, next.objective)
      state.steps += 1
      state.damping = max(state.damping / 5, 1e-14)
      report(state.steps, state.objective, state.products)
      // Steps that LSMR could not finish gain little; a factor may help the next.
      let mayImprove = mayFactor && state.exhausted > 0 && state.factor == nil
      if gain < leastGain, !mayImprove { break }
    }
    return Outcome(
      point: state.point, objective: state.objective, steps: state.steps,
      products: state.products, factor: state.factor)
  }

  private struct State {
    var point: [Double]
    var residuals: [Double]
    var objective: Double
    var damping: Double
    var steps = 0
    var products = 0
    /// Steps in a row whose LSMR reached its limit.
    var exhausted = 0
    var factor: CholeskyDecomposition?

    init(point: [Double], residuals: [Double], damping: Double) {
      self.point = point
      self.residuals = residuals
      self.damping = damping
      objective = residuals.reduce(0) { $0 + $1 * $1 }
    }
  }

  private typealias Trial = (point: [Double], residuals: [Double], objective: Double)

  /// A step that lowers the objective, with as much damping as it takes.
  private func step(
    _ function: some ResidualFunction, _ state: inout State
  ) throws(CascadeStop) -> Trial? {
    let x = state.point
    let slope = try function.pull(state.residuals)
    let isHeld = range.map { range in
      x.indices.map {
        x[$0] <= range.lowerBound && slope[$0] > 0 || x[$0] >= range.upperBound && slope[$0] < 0
      }
    }
    func free(_ v: [Double]) -> [Double] {
      guard let isHeld else { return v }
      return v.indices.map { isHeld[$0] ? 0 : v[$0] }
    }
    let gradient = free(slope)
    let norm = gradient.reduce(0) { $0 + $1 * $1 }
    guard norm > 0 else { return nil }
    let curvature = try function.push(gradient).reduce(0) { $0 + $1 * $1 } / norm
    state.products += 2
    let preconditioner = state.factor.map(LSMR.Preconditioner.init)
    for _ in 0..<8 {
      let scale = preconditioner == nil ? curvature : 1
      let outcome = try LSMR.solve(
        columns: x.count, rightHandSide: state.residuals.map { -$0 },
        damping: (state.damping * scale).squareRoot(), tolerance: 1e-7,
        iterationLimit: iterationLimit, preconditioner: preconditioner
      ) { (v: [Double]) throws(CascadeStop) in
        try function.push(free(v))
      } transpose: { (u: [Double]) throws(CascadeStop) in
        free(try function.pull(u))
      }
      state.products += 2 * outcome.iterations
      state.exhausted = outcome.iterations >= iterationLimit ? state.exhausted + 1 : 0
      let moved = free(outcome.solution)
      let candidate = zip(x, moved).map { old, step in
        range.map { min(max(old + step, $0.lowerBound), $0.upperBound) } ?? old + step
      }
      let residuals = try function.residuals(at: candidate)
      let value = residuals.reduce(0) { $0 + $1 * $1 }
      if value < state.objective { return (candidate, residuals, value) }
      state.damping = state.damping * 10 + 1e-12
      if isCancelled() { return nil }
    }
    return nil
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
