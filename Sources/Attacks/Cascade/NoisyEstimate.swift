internal import AuditModel
internal import LinearAlgebra
internal import Networks
internal import TensorIR
internal import Tensors

/// The most probable input given a noisy gradient, and how far off it may be.
///
/// Gauss-Newton steps on all gradients and an ``InputPrior``. After each round one draw of what noise and
/// prior leave open is taken: its size is the predicted error; how far the gradients at the draw are
/// from their linearisation is the error that kinks and curvature add, and is added to the noise of
/// their rows. So rows that tell nothing yet, such as those of units whose sign is not certain, come
/// in by themselves as the input gets sharper. From a grey picture the features come first.
///
/// - Source: the error of the linearisation as noise is that of the iterated extended Kalman filter
///   (Bell & Cathey 1993); deviations from posterior draws are an expectation-maximisation step
///   (Dempster, Laird & Rubin 1977).
final class NoisyEstimate {
  private(set) var input: [Double]
  /// Root-mean-square error of an entry, as one draw from the posterior has it.
  private(set) var predictedError = Double.infinity
  /// Root-mean-square deviation of an entry from the average of its channel, as the prior has it in
  /// the end.
  private(set) var detail = 0.0
  /// Relative distance of the simulated gradient from the observed one.
  private(set) var certificate = Double.infinity
  /// Rounds of steps and a draw, and products with the Jacobian.
  private(set) var (rounds, products) = (0, 0)

  /// From this relative noise on, products in single precision are exact enough.
  private static let coarseNoise = 3e-6
  private static let roundLimit = 10
  /// From grey the features count first as if they were known to this share of their size.
  private static let startNoise = 0.02

  private let gradients: GradientResiduals
  private let model: RegularizedResiduals
  private let trust: [Double]
  /// Of products with the Jacobian.
  private let precision: Precision
  private let sparsity: Sparsity?
  private let range: ClosedRange<Double>?
  private let isLate: () -> Bool
  private let progress: (String) -> Void
  /// For each row, what it shares its variance with.
  private let groups: [Int]
  /// Variance of the rows of each group, over that of their noise; infinite for those left out.
  private var variances: [Double]
  /// What standard errors are multiplied with; falls to 1.
  private var temperature: Double
  private var factor: CholeskyDecomposition?
  private var factorings = 0
  /// Iterations of LSMR for a step or a draw.
  private var iterationLimit = 600
  private var damping = 0.0
  private var generator = SplitMix64(seed: 43)

  /// - Parameters:
  ///   - gradients: All observed gradients.
  ///   - walk: Where they come from.
  ///   - trust: For each of their rows, the standard error of its tensor over its own.
  ///   - start: An input that is about right; `nil` for none.
  ///   - level: Of a grey picture.
  ///   - deviation: Root-mean-square distance of an entry from that.
  ///   - productLimit: On products with the Jacobian.
  ///   - isLate: Whether time is up.
  ///   - progress: Receives a line a round.
  /// - Throws: ``CascadeStop`` if a product fails.
  init(
    _ gradients: GradientResiduals, _ walk: CascadeWalk, trust: [Double], start: [Double]?,
    level: Double, deviation: Double, productLimit: Int, isLate: @escaping () -> Bool,
    progress: @escaping (String) -> Void
  ) throws(CascadeStop) {
    self.gradients = gradients
    self.isLate = isLate
    self.progress = progress
    range = walk.observation.inputRange
    sparsity = walk.sparsity
    self.trust = trust
    let shape = walk.programs.shape(of: .input(0))
    let prior = InputPrior(shape: shape, mean: level, deviation: deviation)
    input = start ?? Array(repeating: level, count: shape.reduce(1, *))
    temperature = start == nil ? max(1, Self.startNoise / gradients.featureNoise) : 1
    groups = gradients.groups(walk.programs)
    variances = (0...(groups.last ?? 0)).map { start == nil && $0 > 0 ? .infinity : 1 }
    let isCoarse = sparsity != nil || gradients.noiseShare > Self.coarseNoise
    precision = isCoarse ? .single : .double
    model = RegularizedResiduals(gradients, prior: prior)
    try run(productLimit: productLimit)
  }

  private func run(productLimit: Int) throws(CascadeStop) {
    var previous = Double.infinity
    for round in 0..<Self.roundLimit where !isLate() && products < productLimit {
      setScales()
      // Far from the solution a rough step is as good.
      let isFirst = round == 0 && variances.contains(.infinity)
      iterationLimit = isFirst ? 100 : 400
      try descend(stepLimit: isFirst ? 10 : 3)
      iterationLimit = 600
      let draw = try drawError()
      let hasAll = variances.allSatisfy(\.isFinite)
      predictedError = draw.rootMeanSquareOrZero
      rounds = round + 1
      try learn(from: draw)
      if hasAll { model.prior.adapt(to: input, spread: draw) }
      progress(
        "all gradients and a prior: round \(rounds), predicted error \(predictedError.displayed), "
          + "\(products) products")
      let change = abs(predictedError - previous) / max(predictedError, .leastNormalMagnitude)
      if hasAll, round >= 2, change < 0.15, temperature == 1 { break }
      previous = predictedError
      temperature = max(1, temperature / 3)
    }
    detail = model.prior.detail
    certificate = gradients.relativeError(of: try gradients.residuals(at: input), sparsity)
  }

  private func setScales() {
    let factors = variances.map { $0.isFinite ? 1 / (temperature * $0.squareRoot()) : 0 }
    for (row, group) in groups.enumerated() { model.scales[row] = trust[row] * factors[group] }
  }

  /// What the gradients at a draw are off their linearisation, and where they are off for no reason
  /// that is known, becomes part of the variance of their rows.
  private func learn(from draw: [Double]) throws(CascadeStop) {
    let here = try gradients.residuals(at: input)
    let there = try gradients.residuals(at: zip(input, draw).map { $0 + $1 })
    let moved = try gradients.push(draw, in: precision)
    let zeros = variances.map { _ in 0.0 }
    var (bent, missed, counts) = (zeros, zeros, zeros)
    for (row, group) in groups.enumerated() where trust[row] > 0 {
      let gap = trust[row] * (there[row] - here[row] - moved[row])
      bent[group] += gap * gap
      missed[group] += trust[row] * trust[row] * here[row] * here[row]
      counts[group] += 1
    }
    for (group, count) in counts.enumerated() where count > 0 {
      let explained = 1 + bent[group] / count
      let isNew = !variances[group].isFinite
      let left = missed[group] / count
      variances[group] = !isNew && left > 4 * explained ? left : explained
    }
  }
}

// MARK: - Steps and draws

extension NoisyEstimate {
  private func descend(stepLimit: Int) throws(CascadeStop) {
    var residuals = try model.residuals(at: input)
    var gain = 1.0
    for _ in 0..<stepLimit where gain > 0.02 && !isLate() {
      try model.linearize(at: input)
      let objective = residuals.reduce(0) { $0 + $1 * $1 }
      var next: (point: [Double], residuals: [Double], objective: Double)?
      for _ in 0..<6 where next == nil {
        let step = try solve(residuals.map { -$0 }, damping: damping, tolerance: 1e-7)
        for length in [1, 0.5, 0.25] where next == nil {
          let point = zip(input, step).map { old, change in
            let value = old + length * change
            return range.map { min(max(value, $0.lowerBound), $0.upperBound) } ?? value
          }
          let trial = try model.residuals(at: point)
          let value = trial.reduce(0) { $0 + $1 * $1 }
          if value < objective { next = (point, trial, value) }
        }
        if next == nil { damping = max(10 * damping, 0.1) }
      }
      guard let next else { return }
      gain = (objective - next.objective) / objective
      (input, residuals) = (next.point, next.residuals)
      damping = damping < 0.01 ? 0 : damping / 10
    }
  }

  /// One draw of the error that noise, rounding and the prior leave in the input.
  private func drawError() throws(CascadeStop) -> [Double] {
    try model.linearize(at: input)
    let rounded = try gradients.arithmeticErrors(at: input)
    let noise = (0..<model.count).map { row in
      guard row < model.scales.count else { return generator.normal() }
      let drawn = model.scales[row] > 0 ? generator.normal() : 0
      return drawn + (rounded.isEmpty ? 0 : model.scales[row] * rounded[row])
    }
    return try solve(noise, damping: 0, tolerance: 1e-9)
  }

  /// Least squares of the linearised model, preconditioned by its prior or, where that is not enough and
  /// the Jacobian can be written out, by the factor of `JᵀJ`.
  private func solve(
    _ right: [Double], damping: Double, tolerance: Double
  ) throws(CascadeStop) -> [Double] {
    func attempt(_ limit: Int) throws(CascadeStop) -> LSMR.Outcome {
      let outcome = try LSMR.solve(
        columns: input.count, rightHandSide: right, damping: damping.squareRoot(),
        tolerance: tolerance, iterationLimit: limit,
        preconditioner: factor.map(LSMR.Preconditioner.init) ?? model.preconditioner
      ) { (v: [Double]) throws(CascadeStop) in
        try model.push(v, in: precision)
      } transpose: { (u: [Double]) throws(CascadeStop) in
        try model.pull(u, in: precision)
      }
      products += 2 * outcome.iterations
      return outcome
    }
    let outcome = try attempt(iterationLimit)
    guard outcome.stop == .iterationLimit, variances.allSatisfy(\.isFinite), factorings < 6
    else { return outcome.solution }
    factorings += 1
    guard let jacobian = try model.jacobian() else {
      factorings = 6
      return outcome.solution
    }
    factor = CholeskyDecomposition(jacobian.gram()) ?? factor
    return try attempt(iterationLimit).solution
  }
}
