internal import AuditModel
internal import LinearAlgebra
package import TensorIR

/// Limited-memory BFGS, whose steps end where the strong Wolfe conditions hold.
///
/// Its state consists of plain numbers, so that a search can be kept and taken up again bit for bit.
///
/// - Source: Nocedal & Wright, *Numerical Optimization*, 2nd edition, algorithms 7.4 and 7.5.
package struct LBFGS: Hashable, Sendable {
  /// One step and what it did to the gradient.
  struct Pair: Hashable, Sendable {
    var displacement: [Double]
    var change: [Double]
  }

  /// How many pairs are remembered.
  package let historyLimit: Int
  package internal(set) var point: [Double]
  /// At ``point``; empty before the first step.
  package internal(set) var gradient: [Double] = []
  /// At ``point``; `nil` before the first step.
  package internal(set) var objective: Double?
  /// Steps taken.
  package internal(set) var iteration = 0
  /// Evaluations of the objective and its gradient.
  package internal(set) var evaluations = 0
  /// Steps that lowered the objective enough while no point with a small enough slope was found, as
  /// happens at kinks.
  package internal(set) var relaxedSteps = 0
  /// Oldest first.
  var history: [Pair] = []

  /// - Precondition: At least one pair is remembered.
  package init(from start: [Double], historyLimit: Int = 100) {
    precondition(historyLimit > 0, "without a history there is no direction but the steepest")
    point = start
    self.historyLimit = historyLimit
  }

  /// Moves to a point with a lower objective.
  ///
  /// - Parameters:
  ///   - function: What is lowered.
  ///   - preconditioner: An approximate inverse of the Hessian, up to a factor; `nil` is the unit
  ///     matrix.
  /// - Returns: Whether it moved. It does not where the gradient is zero, where a number is not
  ///   finite, or where no step along the direction of steepest descent lowers the objective.
  /// - Throws: ``BackendError`` if the function cannot be evaluated.
  /// - Complexity: One evaluation where the first length is taken, which is usual; up to 25, twice.
  package mutating func step(
    on function: any MatchingObjective, preconditioner: PicturePreconditioner? = nil
  ) throws(BackendError) -> Bool {
    precondition(point.count == function.count, "a point has \(function.count) values")
    if objective == nil {
      let (value, slope) = try function.evaluate(at: point)
      (objective, gradient) = (value, slope)
      evaluations += 1
    }
    guard objective?.isFinite == true, gradient.allSatisfy(\.isFinite),
      gradient.contains(where: { $0 != 0 })
    else { return false }
    if try advance(on: function, preconditioner) { return true }
    if history.isEmpty { return false }
    // What is remembered may tell of another place; steepest descent needs none of it.
    history = []
    return try advance(on: function, preconditioner)
  }

  private mutating func advance(
    on function: any MatchingObjective, _ preconditioner: PicturePreconditioner?
  ) throws(BackendError) -> Bool {
    let direction = direction(preconditioner)
    let start = WolfeSearch.Trial(
      step: 0, point: point, objective: objective ?? .nan, gradient: gradient,
      slope: gradient.dot(direction))
    // Behind the first step, the scale of the direction is that of the last one.
    let first = history.isEmpty ? 1 / (-start.slope).squareRoot() : 1
    var search = WolfeSearch(start, direction)
    let found = try search.run(on: function, first: first)
    evaluations += search.evaluations
    guard let found else { return false }
    if !search.holds(at: found) { relaxedSteps += 1 }
    let pair = Pair(
      displacement: zip(found.point, point).map { $0 - $1 },
      change: zip(found.gradient, gradient).map { $0 - $1 })
    // Positive where the conditions hold; else the matrix would lose its sign.
    if pair.displacement.dot(pair.change) > .ulpOfOne * pair.change.dot(pair.change) {
      if history.count == historyLimit { history.removeFirst() }
      history.append(pair)
    }
    (point, gradient, objective) = (found.point, found.gradient, found.objective)
    iteration += 1
    return true
  }

  /// `−H ∇f` by the two loops of algorithm 7.4, with `H⁰ = (sᵀy / yᵀPy) P` of the last pair, where `P` is
  /// the preconditioner, or the unit matrix.
  package func direction(_ preconditioner: PicturePreconditioner? = nil) -> [Double] {
    var result = gradient.map { -$0 }
    guard let last = history.last else { return preconditioner?(result) ?? result }
    var factors: [Double] = []
    for pair in history.reversed() {
      let factor = pair.displacement.dot(result) / pair.displacement.dot(pair.change)
      result.add(-factor, times: pair.change)
      factors.append(factor)
    }
    let size = last.change.dot(preconditioner?(last.change) ?? last.change)
    let scale = last.displacement.dot(last.change) / size
    result = preconditioner?(result) ?? result
    for place in result.indices { result[place] *= scale }
    for (pair, factor) in zip(history, factors.reversed()) {
      let other = pair.change.dot(result) / pair.displacement.dot(pair.change)
      result.add(factor - other, times: pair.displacement)
    }
    return result
  }
}

extension LBFGS {
  /// The names of what ``vectors`` holds besides the point.
  private enum Name {
    static let gradient = "gradient"
    static let objective = "objective"
    static let counts = "counts"
    static let displacements = "displacements"
    static let changes = "changes"
  }

  /// The whole state as named numbers: exact, and read back by ``init(_:historyLimit:)``.
  package var vectors: [String: [Double]] {
    [
      RestartState.input: point, Name.gradient: gradient,
      Name.objective: objective.map { [$0] } ?? [],
      Name.counts: [iteration, evaluations, relaxedSteps].map(Double.init),
      Name.displacements: history.flatMap(\.displacement),
      Name.changes: history.flatMap(\.change),
    ]
  }

  /// The state that ``vectors`` gave; a point alone is a start.
  ///
  /// - Returns: `nil` if the numbers are no state.
  package init?(_ vectors: [String: [Double]], historyLimit: Int = 100) {
    guard let point = vectors[RestartState.input] else { return nil }
    self.init(from: point, historyLimit: historyLimit)
    gradient = vectors[Name.gradient] ?? []
    objective = vectors[Name.objective]?.first
    let counts = (vectors[Name.counts] ?? [0, 0, 0]).compactMap { Int(exactly: $0) }
    let displacements = vectors[Name.displacements] ?? []
    let changes = vectors[Name.changes] ?? []
    guard gradient.count == (objective == nil ? 0 : point.count), counts.count == 3,
      displacements.count == changes.count, !point.isEmpty,
      displacements.count % point.count == 0,
      displacements.count / point.count <= historyLimit
    else { return nil }
    (iteration, evaluations, relaxedSteps) = (counts[0], counts[1], counts[2])
    history = stride(from: 0, to: changes.count, by: point.count).map { first in
      let own = first..<first + point.count
      return Pair(displacement: Array(displacements[own]), change: Array(changes[own]))
    }
  }
}
