internal import AuditModel
internal import TensorIR

extension InversionAttack {
  /// Multiply-adds that the polish may cost.
  private static let polishBudget = 2.5e12

  /// Least squares on every entry of the gradient, from where the search ended; and whether the
  /// equations determine the inputs there.
  func polish(
    _ result: inout NumericalInversion.Result, on backend: any Backend
  ) throws(NotInvertible) {
    guard problem.labels != nil, problem.steps == nil, control.interruption == nil else { return }
    let equations = try GradientEquations(programs, on: backend)
    guard equations.count >= problem.count else { return }
    do throws(CascadeStop) {
      var marquardt = LevenbergMarquardt()
      marquardt.bounds = problem.box?.bounds(in: problem.shape)
      marquardt.stepLimit = 100
      marquardt.iterationLimit = 300
      marquardt.goal = Double(equations.count)
      marquardt.productLimit = Int(Self.polishBudget / (try equations.price()))
      marquardt.isCancelled = { control.interruption != nil }
      marquardt.report = { step, objective, products in
        control.progress(
          "auto: least squares, step \(step), objective \(objective.displayed), \(products) products"
        )
      }
      let start = result.samples.flatMap { $0 }
      let before = equations.relativeError(of: try equations.residuals(at: start))
      let outcome = try marquardt.solve(equations, from: start)
      let after = equations.relativeError(of: try equations.residuals(at: outcome.point))
      if after < before {
        result.samples = split(outcome.point)
        result.summary.gradientMatch = after
        result.summary.stop +=
          "; \(outcome.steps) steps of least squares took the relative error from "
          + "\(before.displayed) to \(after.displayed)"
      }
      guard min(before, after) < 0.02 else { return }
      let doubt = try InputUncertainty(
        equations, at: result.samples.flatMap { $0 }, errors: nil,
        iterations: min(3000, max(120, marquardt.productLimit / 8)), factor: outcome.factor)
      let excess = max(1, (outcome.objective / Double(equations.count)).squareRoot())
      result.predictedError = doubt.error * excess
      result.determinedShare = doubt.share
    } catch {
      throw NotInvertible(error.description)
    }
  }
}
