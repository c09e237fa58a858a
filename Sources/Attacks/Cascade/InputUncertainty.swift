internal import LinearAlgebra
internal import Networks
internal import TensorIR

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
  ///   - arithmetic: One draw of what rounding within the network did to the residuals; empty for nothing.
  ///   - iterations: Of LSMR, at most. Too few leave out what the weakest directions add, and directions
  ///     that they do not reach count as unseen.
  ///   - factor: Of `JᵀJ`, where it is at hand.
  /// - Throws: ``CascadeStop`` if a product fails.
  init(
    _ function: some ResidualFunction, at point: [Double], errors: [Double]?,
    arithmetic: [Double] = [], iterations: Int, factor: CholeskyDecomposition? = nil
  ) throws(CascadeStop) {
    try function.linearize(at: point)
    var generator = SplitMix64(seed: 29)
    let noise = (0..<function.count).map {
      (errors?[$0] ?? 1) * generator.normal() + (arithmetic.isEmpty ? 0 : arithmetic[$0])
    }
    let direction = point.indices.map { _ in generator.normal() }
    func solution(_ right: [Double], _ limit: Int) throws(CascadeStop) -> [Double] {
      try LSMR.solve(
        columns: point.count, rightHandSide: right, tolerance: 1e-6, iterationLimit: limit,
        preconditioner: factor.map(LSMR.Preconditioner.init)
      ) { (v: [Double]) throws(CascadeStop) in
        try function.push(v, in: .single)
      } transpose: { (u: [Double]) throws(CascadeStop) in
        try function.pull(u, in: .single)
      }.solution
    }
    func share(_ solution: [Double]) -> Double {
      let missed = zip(solution, direction).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return max(0, 1 - missed / direction.reduce(0) { $0 + $1 * $1 })
    }
    error = try solution(noise, iterations).rootMeanSquareOrZero
    let seen = try function.push(direction, in: .single)
    let first = share(try solution(seen, min(iterations, 120)))
    // What a short run leaves open may only be slow to converge.
    let isSeen = first >= 0.999
    self.share = isSeen ? first : max(first, share(try solution(seen, max(iterations, 600))))
  }
}
