internal import LinearAlgebra
internal import TensorIR

extension LevenbergMarquardt {
  /// Where the solver is, and how it solves the next step.
  struct State {
    var point: [Double]
    var residuals: [Double]
    var objective: Double
    var damping: Double
    var steps = 0
    var products = 0
    /// Steps in a row whose LSMR reached its limit.
    var exhausted = 0
    var factor: CholeskyDecomposition?
    /// The share to which LSMR has to lower the residual; `nil` for as far as it gets.
    var forcing: Double?
    /// The share of the objective that the last linear model promised to take away.
    var promise = 1.0

    /// The largest and the smallest share to which a rough step lowers the residual.
    static let (roughly, closely) = (0.3, 0.01)
    /// A step that promises less than this share and fails is the last: residuals jump there.
    static let leastPromise = 0.1

    init(point: [Double], residuals: [Double], damping: Double, forcing: Double?) {
      self.point = point
      self.residuals = residuals
      self.damping = damping
      self.forcing = forcing
      objective = residuals.sumOfSquares
    }

    mutating func accept(_ trial: Trial) {
      let gained = (objective - trial.objective) / (objective - trial.model)
      if forcing != nil {
        // The share of the residual that the linear model did not foresee.
        let surprise = abs(trial.objective.squareRoot() - trial.model.squareRoot())
        forcing = min(max(surprise / objective.squareRoot(), Self.closely), Self.roughly)
      }
      (point, residuals, objective) = (trial.point, trial.residuals, trial.objective)
      steps += 1
      if gained > 0.5 {
        damping = max(damping / 5, 1e-14)
      } else if gained < 0.1 {
        damping *= 4
      }
    }

    /// Solves steps more exactly from now on, if that may help.
    ///
    /// - Returns: Whether the next step differs from the last.
    mutating func sharpen() -> Bool {
      defer { forcing = nil }
      return forcing != nil
    }
  }

  struct Trial {
    var point: [Double]
    var residuals: [Double]
    var objective: Double
    /// What the linear model made of the objective.
    var model: Double
  }

  /// A step that lowers the objective, with as much damping as it takes.
  func step(
    _ function: some ResidualFunction, _ state: inout State
  ) throws(CascadeStop) -> Trial? {
    let x = state.point
    let slope = try function.pull(state.residuals, in: .double)
    let isHeld = bounds.map { bounds in
      x.indices.map {
        x[$0] <= bounds[$0].lowerBound && slope[$0] > 0
          || x[$0] >= bounds[$0].upperBound && slope[$0] < 0
      }
    }
    func free(_ v: [Double]) -> [Double] {
      guard let isHeld else { return v }
      return v.indices.map { isHeld[$0] ? 0 : v[$0] }
    }
    let gradient = free(slope)
    let norm = gradient.sumOfSquares
    guard norm > 0 else { return nil }
    let curvature = try function.push(gradient, in: .single).sumOfSquares / norm
    state.products += 2
    let preconditioner = state.factor.map(LSMR.Preconditioner.init)
    let size = state.objective.squareRoot()
    for _ in 0..<8 {
      let scale = preconditioner == nil ? curvature : 1
      var isFirst = true
      let outcome = try LSMR.solve(
        columns: x.count, rightHandSide: state.residuals.map { -$0 },
        damping: (state.damping * scale).squareRoot(), tolerance: 1e-7,
        forcing: state.forcing, iterationLimit: iterationLimit, preconditioner: preconditioner
      ) { (v: [Double]) throws(CascadeStop) in
        try function.push(free(v), in: .single)
      } transpose: { (u: [Double]) throws(CascadeStop) in
        // The first is the slope, already there. In double precision, it makes steps end where those of
        // double precision do, whatever the other products lose.
        defer { isFirst = false }
        return isFirst ? gradient.map { -$0 / size } : free(try function.pull(u, in: .single))
      }
      state.products += 2 * outcome.iterations
      state.exhausted = outcome.iterations >= iterationLimit ? state.exhausted + 1 : 0
      let moved = free(outcome.solution)
      let model = outcome.residualNorm * outcome.residualNorm
      state.promise = 1 - model / state.objective
      // Values are cheaper than another solution.
      for share in [1, 0.5, 0.25] {
        var candidate = zip(x, moved).map { $0 + share * $1 }
        if let bounds { candidate.clamp(to: bounds) }
        let residuals = try function.residuals(at: candidate)
        let value = residuals.sumOfSquares
        if value < state.objective {
          return Trial(point: candidate, residuals: residuals, objective: value, model: model)
        }
      }
      state.damping = state.damping * 10 + 1e-12
      if state.promise < State.leastPromise || isCancelled() { return nil }
    }
    return nil
  }
}

extension [Double] {
  fileprivate var sumOfSquares: Double { reduce(0) { $0 + $1 * $1 } }
}
