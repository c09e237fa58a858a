internal import AuditModel
internal import LinearAlgebra
internal import Networks
internal import TensorIR
internal import Tensors

/// The model input from what the walk determined: by least squares on the deepest determined map, and
/// then on every observed gradient at once.
///
/// What is tried follows from shapes and residuals alone, so equal input gives an equal result; only
/// a time limit that the user sets depends on the clock.
final class CascadeSearch {
  let walk: CascadeWalk
  let deadline: ContinuousClock.Instant?
  let progress: (String) -> Void
  /// Whether numbers are too coarse, or too few, for a proof.
  let isNoisy: Bool
  /// The model input, held as the programs hold it.
  var input: [Double]?
  /// The end of a search from a map that came near to fitting it.
  var approach: [Double]?
  /// Relative distance of the simulated gradient below the dense layer from the observed one.
  var certificate = Double.infinity
  /// Predicted root-mean-square error of an entry of ``input``.
  var predictedError = Double.infinity
  /// The share of random directions in the input that the equations tell apart.
  var determinedShare = 0.0
  /// Whether noise leaves no more of the input than its colour, or does not explain what is left.
  var isHidden = false
  /// How many cyclic shifts of ``input`` have its gradient, itself included.
  var shifts = 1
  /// What was done, in clauses.
  var account: [String] = []

  /// Of `JᵀJ` near ``input``, if it was written out.
  private var factor: CholeskyDecomposition?

  /// Multiply-adds that a polish may cost where the certificate is good already.
  private static let polishBudget = 6e10
  /// Multiply-adds that the search may still cost.
  var budget = 2.5e12

  init(
    _ walk: CascadeWalk, deadline: ContinuousClock.Instant?, progress: @escaping (String) -> Void
  ) {
    self.walk = walk
    isNoisy = Self.isNoisy(walk)
    self.deadline = deadline
    self.progress = progress
  }

  var count: Int { walk.programs.count(of: .input(0)) }
  var range: ClosedRange<Double>? { walk.observation.inputRange }

  /// Multiply-adds of a product with the Jacobian of every gradient or its transpose: a backward and a forward
  /// pass along a tangent, each about four times a forward pass.
  var price: Double { 8 * Double(max(walk.multiplyAdds, 1)) }

  /// Iterations of LSMR to find how far off an input may be, given what a product costs: on small networks
  /// as many as the weakest directions need, which are a thousand on LeNet.
  func doubtIterations(price: Double) -> Int {
    min(3000, max(120, Int(Self.polishBudget / price) / 4))
  }

  func isLate() -> Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

  /// - Throws: ``CascadeStop`` if no gradient below the dense layer was observed.
  func run() throws(CascadeStop) {
    walk.releasePrograms()
    let everything = try GradientResiduals(walk)
    var isFound = false
    if let map = walk.maps[.input(0)], map.isComplete {
      input = map.values
      predictedError = map.errors.rootMeanSquareOrZero
      determinedShare = 1
      isFound = true
    } else {
      isFound = try searchFromMaps(everything)
    }
    if isNoisy {
      try estimate(everything)
    } else {
      if !isFound { try searchFromGradients(everything) }
      try polish(everything)
    }
    try settleSeam(everything)
  }

  /// Pictures without a picture: the middle of the range, then others where it is not known.
  func starts(_ function: some ResidualFunction) throws(CascadeStop) -> [[Double]] {
    if let range {
      let width = range.upperBound - range.lowerBound
      return [0.5, 0.25, 0.75].map {
        Array(repeating: range.lowerBound + $0 * width, count: count)
      }
    }
    var candidates: [(start: [Double], objective: Double)] = []
    for level in [0.5, 0.0, -0.5] {
      let start = Array(repeating: level, count: count)
      let residuals = try function.residuals(at: start)
      candidates.append((start, residuals.reduce(0) { $0 + $1 * $1 }))
    }
    return candidates.sorted { $0.objective < $1.objective }.map(\.start)
  }

  func marquardt(_ what: String) -> LevenbergMarquardt {
    var marquardt = LevenbergMarquardt()
    marquardt.bounds = range.map { Array(repeating: $0, count: count) }
    marquardt.goal = 1e-24
    marquardt.isCancelled = { [self] in isLate() }
    marquardt.report = { [progress] step, objective, products in
      progress("\(what): step \(step), objective \(objective.displayed), \(products) products")
    }
    return marquardt
  }

  // MARK: - From every gradient

  /// Where no map has enough entries: every gradient at once, from a grey picture.
  private func searchFromGradients(_ everything: GradientResiduals) throws(CascadeStop) {
    guard everything.count >= count else {
      account.append("\(everything.count) equations do not determine \(count) values")
      return
    }
    var best: LevenbergMarquardt.Outcome?
    for start in try [input].compactMap({ $0 }) + starts(everything) where !isLate() {
      var marquardt = marquardt("from every gradient")
      marquardt.damping = 1e-3
      marquardt.goal = Double(everything.count)
      marquardt.mayFactor = true
      marquardt.iterationLimit = 60
      marquardt.productLimit = Int(budget / price)
      guard marquardt.productLimit > 400 else {
        account.append("a search on every gradient would go beyond its budget of work")
        break
      }
      let outcome = try marquardt.solve(everything, from: start)
      budget -= price * Double(outcome.products)
      if outcome.objective < best?.objective ?? .infinity { best = outcome }
      let error = try everything.relativeError(at: outcome.point)
      if error < 1e-3 { break }
    }
    guard let best else { return }
    certificate = try everything.relativeError(at: best.point)
    account.append(
      "least squares on all \(everything.count) equations from a grey picture "
        + (certificate < 1e-3 ? "converged" : "stalled") + " after \(best.steps) steps")
    guard certificate < 0.02 else { return }
    input = best.point
    try measure(everything, best)
  }

  /// How far off a solution on every gradient may be.
  private func measure(
    _ everything: GradientResiduals, _ outcome: LevenbergMarquardt.Outcome
  ) throws(CascadeStop) {
    // That of a longer way to the same input serves after a polish.
    factor = outcome.factor ?? factor
    let arithmetic = try everything.arithmeticErrors(at: outcome.point)
    let doubt = try InputUncertainty(
      everything, at: outcome.point, errors: nil, arithmetic: arithmetic,
      iterations: doubtIterations(price: price), factor: factor)
    let expected = arithmetic.reduce(Double(everything.count)) { $0 + $1 * $1 }
    predictedError = doubt.error * max(1, (outcome.objective / expected).squareRoot())
    determinedShare = max(determinedShare, doubt.share)
  }

  private func polish(_ everything: GradientResiduals) throws(CascadeStop) {
    guard let start = input else { return }
    var point = start
    certificate = try everything.relativeError(at: point)
    if certificate > 1e-5, try everything.isBeyondReach(of: predictedError, around: point) {
      // Gradients jump where a unit turns; least squares cannot.
      let kinks = try KinkCrossing(walk, at: point, error: predictedError)
      let better = try kinks.improved(misfit: certificate, goal: 1e-6) {
        (x: [Double]) throws(CascadeStop) in
        try everything.relativeError(at: x)
      }
      if let better {
        (input, certificate) = (better.point, better.misfit)
        account.append(
          "\(better.crossings) unit\(better.crossings == 1 ? "" : "s") within rounding of zero put on "
            + "the other side of it")
      }
      return
    }
    let before = try everything.residuals(at: point)
    let objective = before.reduce(0) { $0 + $1 * $1 }
    let products = Int((certificate < 1e-5 ? Self.polishBudget : max(budget, 0)) / price)
    let isAtFloor = objective <= 4 * Double(everything.count)
    if !isAtFloor, products >= 60, !isLate() {
      var marquardt = marquardt("on every gradient")
      marquardt.stepLimit = 8
      marquardt.startsRoughly = false
      marquardt.iterationLimit = min(300, products / 6)
      marquardt.productLimit = products
      marquardt.goal = Double(everything.count)
      marquardt.mayFactor = certificate >= 1e-5
      let outcome = try marquardt.solve(everything, from: point)
      if outcome.objective < objective {
        point = outcome.point
        account.append(
          "\(outcome.steps) steps of least squares on every gradient refined the input")
      }
      input = point
      certificate = try everything.relativeError(at: point)
      if certificate < 0.02 {
        try measure(everything, outcome)
      }
    }
  }
}
