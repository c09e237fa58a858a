internal import LinearAlgebra
internal import Networks

/// How far off a least-squares solution may be, from its Jacobian at the solution.
struct InputUncertainty {
  /// Root-mean-square error of an entry.
  let error: Double
  /// The share of a random direction that the equations see; 1 if every direction is determined.
  let share: Double

  /// One draw of noise is carried through the equations, and one random direction through them and
  /// back.
  ///
  /// - Parameters:
  ///   - function: Its residuals.
  ///   - point: The solution.
  ///   - errors: Standard errors of the residuals; `nil` if they are divided by theirs.
  ///   - iterations: Of LSMR; directions that it does not reach count as unseen.
  ///   - factor: Of `JᵀJ`, where it is at hand.
  init(
    _ function: some ResidualFunction, at point: [Double], errors: [Double]?,
    iterations: Int = 120, factor: CholeskyDecomposition? = nil
  ) throws(CascadeStop) {
    try function.linearize(at: point)
    var generator = SplitMix64(seed: 29)
    let noise = (0..<function.count).map { (errors?[$0] ?? 1) * generator.normal() }
    let direction = point.indices.map { _ in generator.normal() }
    let answers = [noise, try function.push(direction)]
    var solutions: [[Double]] = []
    for right in answers {
      solutions.append(
        try LSMR.solve(
          columns: point.count, rightHandSide: right, tolerance: 1e-6,
          iterationLimit: max(iterations, 30),
          preconditioner: factor.map(LSMR.Preconditioner.init)
        ) { (v: [Double]) throws(CascadeStop) in
          try function.push(v)
        } transpose: { (u: [Double]) throws(CascadeStop) in
          try function.pull(u)
        }.solution)
    }
    error = solutions[0].rootMeanSquareOrZero
    let missed = zip(solutions[1], direction).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    share = max(0, 1 - missed / direction.reduce(0) { $0 + $1 * $1 })
  }
}
