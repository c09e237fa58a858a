internal import LinearAlgebra
internal import TensorIR

/// Searches along a direction for a point where the strong Wolfe conditions hold.
///
///     f(x + αp) ≤ f(x) + c₁ α ∇f(x)ᵀp        |∇f(x + αp)ᵀp| ≤ c₂ |∇f(x)ᵀp|
///
/// - Source: Nocedal & Wright, *Numerical Optimization*, 2nd edition, algorithms 3.5 and 3.6; trial
///   lengths by the cubic of equation 3.59.
struct WolfeSearch {
  /// A point on the ray.
  struct Trial {
    /// `α`.
    var step: Double
    var point: [Double]
    var objective: Double
    var gradient: [Double]
    /// `∇f(x + αp)ᵀp`.
    var slope: Double
  }

  /// `c₁`.
  static let decrease = 1e-4
  /// `c₂`, the usual one for quasi-Newton directions.
  static let curvature = 0.9
  static let evaluationLimit = 25

  private let start: Trial
  private let direction: [Double]
  private(set) var evaluations = 0

  /// - Parameters:
  ///   - start: With step 0.
  ///   - direction: `p`.
  init(_ start: Trial, _ direction: [Double]) {
    self.start = start
    self.direction = direction
  }

  /// Whether both conditions hold.
  func holds(at trial: Trial) -> Bool {
    isLow(trial) && abs(trial.slope) <= -Self.curvature * start.slope
  }

  /// Whether the first condition holds.
  private func isLow(_ trial: Trial) -> Bool {
    trial.slope.isFinite
      && trial.objective <= start.objective + Self.decrease * trial.step * start.slope
  }

  /// - Parameters:
  ///   - function: What is lowered.
  ///   - first: The first length to try.
  /// - Returns: A point where both conditions hold; where none was found, the lowest at which the
  ///   first does, or `nil`.
  /// - Throws: ``BackendError`` if the function cannot be evaluated.
  mutating func run(
    on function: any MatchingObjective, first: Double
  ) throws(BackendError) -> Trial? {
    guard start.slope < 0, first.isFinite else { return nil }
    var (step, last) = (first, start)
    while evaluations < Self.evaluationLimit {
      let trial = try evaluate(function, step)
      if trial.point == start.point { return nil }
      if !isLow(trial) || (last.step > 0 && trial.objective >= last.objective) {
        return try narrow(on: function, low: last, high: trial)
      }
      if holds(at: trial) { return trial }
      if trial.slope >= 0 { return try narrow(on: function, low: trial, high: last) }
      // Beyond by a tenth of the last gap at least, and ten of them at most.
      let gap = trial.step - last.step
      let minimum = Self.minimum(last, trial) ?? .infinity
      step = min(max(minimum, trial.step + gap / 10), trial.step + 10 * gap)
      last = trial
    }
    return last.step > 0 ? last : nil
  }

  /// Algorithm 3.6: between `low` and `high` there are points where both conditions hold.
  private mutating func narrow(
    on function: any MatchingObjective, low: Trial, high: Trial
  ) throws(BackendError) -> Trial? {
    var (low, high) = (low, high)
    while evaluations < Self.evaluationLimit {
      let gap = high.step - low.step
      let middle = low.step + gap / 2
      // Never nearer to an end than a tenth, so that the interval shrinks.
      let nearest = min(low.step, high.step) + abs(gap) / 10
      let farthest = max(low.step, high.step) - abs(gap) / 10
      let minimum = Self.minimum(low, high) ?? middle
      let trial = try evaluate(function, min(max(minimum, nearest), farthest))
      if trial.point == low.point || trial.point == high.point { break }
      if !isLow(trial) || trial.objective >= low.objective {
        high = trial
        continue
      }
      if holds(at: trial) { return trial }
      if trial.slope * gap >= 0 { high = low }
      low = trial
    }
    return low.step > 0 ? low : nil
  }

  private mutating func evaluate(
    _ function: any MatchingObjective, _ step: Double
  ) throws(BackendError) -> Trial {
    var point = start.point
    for place in point.indices { point[place] += step * direction[place] }
    let (objective, gradient) = try function.evaluate(at: point)
    evaluations += 1
    return Trial(
      step: step, point: point, objective: objective, gradient: gradient,
      slope: objective.isFinite ? gradient.dot(direction) : .nan)
  }

  /// Where the cubic through values and slopes at both ends is least.
  ///
  /// - Returns: `nil` if it has no minimum.
  private static func minimum(_ a: Trial, _ b: Trial) -> Double? {
    let gap = b.step - a.step
    let first = a.slope + b.slope - 3 * (b.objective - a.objective) / gap
    let square = first * first - a.slope * b.slope
    guard square >= 0 else { return nil }
    let second = gap > 0 ? square.squareRoot() : -square.squareRoot()
    let share = (b.slope + second - first) / (b.slope - a.slope + 2 * second)
    return share.isFinite ? b.step - gap * share : nil
  }
}
