/// Least squares by the method LSMR, for matrices that exist only as products.
///
/// - Source: Fong & Saunders 2011, *LSMR: An iterative algorithm for sparse least-squares problems*.
package enum LSMR {
  /// Why an iteration ended.
  package enum Stop: Sendable {
    /// The residual, or its projection on the columns, is within the tolerance.
    case converged
    /// What is left to gain is below the noise of the right-hand side.
    case noiseFloor
    /// Going on would hardly lower the residual.
    case sufficient
    case iterationLimit
    /// The estimated condition reached the inverse of the unit roundoff.
    case conditionLimit
    /// The task that runs the solver was cancelled.
    case cancelled
  }

  package struct Outcome: Sendable {
    package let solution: [Double]
    package let iterations: Int
    /// Of the residual, its damped rows included, as the recurrences estimate it.
    package let residualNorm: Double
    /// Of `Aᵀr − damping² x`, estimated, in the preconditioned unknowns.
    package let normalResidualNorm: Double
    /// Of the damped and preconditioned matrix; a lower bound.
    package let conditionEstimate: Double
    package let stop: Stop
  }

  /// A change of unknowns `x = R⁻¹ y` from the right.
  package struct Preconditioner {
    /// `R⁻¹ v`.
    package let inverse: ([Double]) -> [Double]
    /// `R⁻ᵀ v`.
    package let transposedInverse: ([Double]) -> [Double]

    package init(
      inverse: @escaping ([Double]) -> [Double],
      transposedInverse: @escaping ([Double]) -> [Double]
    ) {
      self.inverse = inverse
      self.transposedInverse = transposedInverse
    }
  }

  /// Minimises `‖A x − b‖² + damping² ‖x‖²` from `x = 0`.
  ///
  /// Without damping and with fewer independent rows than columns this is the solution of smallest
  /// norm. With a preconditioner, damping and norm are those of `y = R x`.
  ///
  /// - Parameters:
  ///   - columns: entries of `x`.
  ///   - rightHandSide: `b`.
  ///   - damping: λ, not negative.
  ///   - tolerance: stop when `‖r‖ ≤ tolerance (‖A‖ ‖x‖ + ‖b‖)` or `‖Aᵀr‖ ≤ tolerance ‖A‖ ‖r‖`.
  ///   - normalTolerance: another tolerance for `‖Aᵀr‖`, where the rows leave a residual for sure.
  ///   - noiseFloor: stop at the noise of rows that were divided by their standard errors; see
  ///     `NoiseFloor`.
  ///   - forcing: stop when `‖r‖ ≤ forcing ‖b‖`, or when the last eight iterations lowered `‖r‖²` by
  ///     less than a twentieth of what all have; `nil` to go on.
  ///   - iterationLimit: one iteration is one product with `A` and one with `Aᵀ`.
  ///   - preconditioner: `R⁻¹` and `R⁻ᵀ`.
  ///   - apply: `A v`.
  ///   - transpose: `Aᵀ u`.
  /// - Returns: the last solution, and why it is the last.
  /// - Throws: what the products throw.
  package static func solve<E: Error>(
    columns: Int, rightHandSide: [Double], damping: Double = 0, tolerance: Double = 1e-14,
    normalTolerance: Double? = nil, noiseFloor: Bool = false, forcing: Double? = nil,
    iterationLimit: Int,
    preconditioner: Preconditioner? = nil,
    apply: ([Double]) throws(E) -> [Double], transpose: ([Double]) throws(E) -> [Double]
  ) throws(E) -> Outcome {
    var u = rightHandSide
    let beta = u.normalize()
    var v = [Double](repeating: 0, count: columns)
    if beta > 0 { v = preconditioned(try transpose(u), preconditioner) }
    let alpha = v.normalize()
    var state = Recurrence(alpha: alpha, beta: beta, damping: damping)
    var (direction, previous) = (v, [Double](repeating: 0, count: columns))
    var y = previous
    var floor = NoiseFloor()
    var progress = Progress(beta)
    var stop = alpha * beta == 0 ? Stop.converged : .iterationLimit
    while stop == .iterationLimit, state.iterations < iterationLimit {
      u.scale(by: -state.alpha)
      let image = try apply(preconditioner.map { $0.inverse(v) } ?? v)
      u.add(1, times: image)
      let beta = u.normalize()
      var alpha = 0.0
      if beta > 0 {
        v.scale(by: -beta)
        v.add(1, times: preconditioned(try transpose(u), preconditioner))
        alpha = v.normalize()
      }
      let step = state.advance(alpha: alpha, beta: beta)
      previous.scale(by: -step.previous)
      previous.add(1, times: direction)
      y.add(step.length, times: previous)
      direction.scale(by: -step.direction)
      direction.add(1, times: v)
      if let reason = state.reason(
        norm: y.euclideanNorm, tolerance: tolerance, normalTolerance: normalTolerance ?? tolerance)
      {
        stop = reason
      } else if noiseFloor, floor.isReached(after: state.residualNorm) {
        stop = .noiseFloor
      } else if let forcing, progress.isSufficient(state.residualNorm, forcing) {
        stop = .sufficient
      } else if Task.isCancelled {
        stop = .cancelled
      }
    }
    return Outcome(
      solution: preconditioner.map { $0.inverse(y) } ?? y, iterations: state.iterations,
      residualNorm: state.residualNorm, normalResidualNorm: state.normalResidualNorm,
      conditionEstimate: state.condition, stop: stop)
  }

  private static func preconditioned(
    _ v: [Double], _ preconditioner: Preconditioner?
  ) -> [Double] {
    preconditioner.map { $0.transposedInverse(v) } ?? v
  }
}

extension [Double] {
  fileprivate mutating func scale(by factor: Double) {
    for i in indices { self[i] *= factor }
  }

  /// Divides by the Euclidean norm and returns it; zero stays zero.
  fileprivate mutating func normalize() -> Double {
    let norm = euclideanNorm
    if norm > 0 { scale(by: 1 / norm) }
    return norm
  }
}
