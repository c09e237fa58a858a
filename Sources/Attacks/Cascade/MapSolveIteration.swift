internal import LinearAlgebra
internal import Networks

extension MapSolve {
  /// Multiply-adds that the iterations for one map may take.
  private static let iterationWorkLimit = 1e12
  /// No solve takes more iterations.
  private static let iterationLimit = 600
  /// A map of which more than this share of the size stays open is not determined.
  private static let openShare = 1e-3

  /// Solves for all entries at once by LSMR, where too many directions stay open for a dense system.
  ///
  /// Whether they are determined tells a drawn map of the same size with drawn errors: its equations are
  /// solved in the same way, and what does not come back of it is the error of the solution, open
  /// directions and those that the iterations did not reach included. Errors are averaged over the
  /// channels of each place. One open direction among *n* entries leaves about *1/√n* of the size.
  func solveByIteration(
    _ buckets: [Bucket], _ solution: inout MapSolution
  ) throws(CascadeStop) {
    solution.rank = nil
    let system = MapSystem(self, buckets)
    let limit = min(
      Double(Self.iterationLimit), Self.iterationWorkLimit / (4 * system.multiplyAdds))
    guard limit >= 100 else { return }
    func solve(_ right: [Double]) -> [Double] {
      LSMR.solve(
        columns: system.unknowns, rightHandSide: right, normalTolerance: 1e-7,
        iterationLimit: Int(limit), apply: system.apply, transpose: system.transposed
      ).solution
    }
    let values = system.map(solve(system.right))
    let size = values.rootMeanSquareOrZero
    guard size > 0, size.isFinite else { return }
    var generator = SplitMix64(seed: 41)
    let drawn = values.map { _ in size * generator.normal() }
    var rows = system.apply(system.coordinates(drawn))
    for (index, deviation) in system.deviations.enumerated() {
      rows[index] += deviation * generator.normal()
    }
    let missed = zip(system.map(solve(rows)), drawn).map { $0 - $1 }
    let error = missed.rootMeanSquareOrZero
    guard error <= Self.openShare * size else { return }
    solution.rank = solution.unknowns
    solution.isDetermined = true
    solution.map.values = values
    // Few channels do not tell the error at a place; then that of all places counts more.
    let shared = 8.0
    for place in 0..<places {
      let own = missed[place * channels..<(place + 1) * channels].reduce(0) { $0 + $1 * $1 }
      let mean = (own + shared * error * error) / (Double(channels) + shared)
      for channel in 0..<channels {
        solution.map.errors[place * channels + channel] = mean.squareRoot()
      }
    }
  }
}
