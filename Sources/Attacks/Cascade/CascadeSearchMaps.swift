internal import AuditModel
internal import LinearAlgebra
internal import Networks

/// From a map that the walk determined to the model input.
extension CascadeSearch {
  /// A search ends well below this relative misfit, or has failed.
  private static let convergedMisfit = 1e-3
  /// Below this one a search that noise ended is a start for another.
  private static let approachMisfit = 0.03
  /// A descent ends at this relative misfit, where least squares take over.
  private static let descentGoal = 1e-3
  private static let descentLimit = 1_000
  /// Evaluations after which the best of several descents is chosen.
  private static let raceLength = 40

  /// - Returns: Whether the input was found.
  func searchFromMaps(_ everything: GradientResiduals) throws(CascadeStop) -> Bool {
    let sources = walk.determined.reversed().filter { $0 != .input(0) }
      .prefix(isNoisy ? 1 : 3)
    for (attempt, source) in sources.enumerated() where !isLate() {
      guard let map = walk.maps[source] else { continue }
      let error = map.errors.rootMeanSquareOrZero
      if isNoisy, !(error < Self.approachMisfit * map.values.rootMeanSquareOrZero) { break }
      let known = [source] + (attempt == 0 ? walk.companions(of: source) : [])
      // The entries of a map alone say it more directly than its equations, where they are enough.
      var (entries, features) = try residuals([source], usesGradients: attempt == 0)
      if features.equalities < count, known.count > 1 {
        (entries, features) = try residuals(known, usesGradients: true)
      }
      guard features.equalities >= count else { continue }
      if try search(features, entries, source, everything) {
        return true
      }
    }
    return false
  }

  /// The entries of maps, and these with gradients.
  private func residuals(
    _ sources: [Network.Source], usesGradients: Bool
  ) throws(CascadeStop) -> (entries: FrontierResiduals, features: FrontierResiduals) {
    let entries = try FrontierResiduals(sources, walk: walk, usesGradients: false)
    guard usesGradients else { return (entries, entries) }
    return (entries, try FrontierResiduals(sources, walk: walk, usesGradients: true))
  }

  /// Least squares from where a descent ends, and from grey pictures.
  private func search(
    _ features: FrontierResiduals, _ entries: FrontierResiduals, _ source: Network.Source,
    _ everything: GradientResiduals
  ) throws(CascadeStop) -> Bool {
    let isDetermined = entries.equalities >= count
    let simpler = isDetermined ? entries : features
    let place = "\(walk.name(source)) (\(features.equalities) equations for \(count) values)"
    let price = try features.price()
    var starts = try starts(features)
    if !isNoisy,
      let descent = try descend(
        on: simpler, to: source, from: starts, isDetermined: isDetermined)
    {
      if descent.objective > Self.objective(Self.convergedMisfit, of: simpler),
        walk.resume(from: descent.point)
      {
        return try searchFromMaps(everything)
      }
      starts.insert(descent.point, at: 0)
    }
    for start in starts.prefix(isNoisy ? 1 : 3) where !isLate() {
      guard budget > 400 * price else {
        account.append("the search from \(place) would go beyond its budget of work")
        break
      }
      var search = marquardt("from \(walk.name(source))")
      search.productLimit = Int(budget / price)
      if isNoisy { (search.stepLimit, search.leastGain) = (15, 1e-2) }
      // Near the rounding of single precision, where closing in takes over.
      search.goal = 1e-12 * Double(features.count)
      var outcome = try search.solve(features, from: start)
      budget -= price * Double(outcome.products)
      if !isNoisy, isDetermined, outcome.objective > search.goal {
        try settle(&outcome, on: entries, of: features, source)
      }
      let misfit = (outcome.objective / Double(features.count)).squareRoot()
      if misfit < Self.approachMisfit {
        approach = approach ?? outcome.point
        if misfit >= Self.convergedMisfit, walk.resume(from: outcome.point) {
          return try searchFromMaps(everything)
        }
      }
      guard misfit < Self.convergedMisfit else {
        account.append(
          "least squares from \(place) stalled at a relative misfit of \(misfit.displayed)")
        continue
      }
      features.weighByErrors()
      var closing = marquardt("closing in from \(walk.name(source))")
      closing.stepLimit = 4
      closing.leastGain = 0.1
      closing.iterationLimit = 300
      closing.startsRoughly = false
      closing.damping = 1e-9
      closing.goal = Double(features.count) / 4
      var final = try closing.solve(features, from: outcome.point)
      if final.objective > 4 * Double(features.count) {
        // One block misses by more than its errors; it must not outvote the others.
        try features.balance(at: final.point)
        final = try closing.solve(features, from: final.point)
      }
      input = final.point
      let error = try everything.relativeError(at: final.point)
      account.append(
        "least squares from \(place) converged in \(outcome.steps + final.steps) steps and "
          + "\(outcome.products + final.products) products")
      guard error < 0.02 else { continue }
      certificate = error
      let doubt = try InputUncertainty(
        features, at: final.point, errors: nil,
        iterations: doubtIterations(price: price))
      let excess = max(1, (final.objective / Double(features.count)).squareRoot())
      predictedError = doubt.error * excess
      determinedShare = doubt.share
      return true
    }
    return false
  }

  /// Finds the last winners and signs, where least squares came near and then to a halt.
  private func settle(
    _ outcome: inout LevenbergMarquardt.Outcome, on entries: FrontierResiduals,
    of features: FrontierResiduals, _ source: Network.Source
  ) throws(CascadeStop) {
    let misfit = (outcome.objective / Double(features.count)).squareRoot()
    guard misfit < Self.approachMisfit else { return }
    var step = marquardt("last winners and signs from \(walk.name(source))")
    step.stepLimit = 1
    step.startsRoughly = false
    step.damping = 1e-9
    step.iterationLimit = 500
    let settled = try LeastAbsoluteResiduals(features: entries, step: step)
      .solve(from: outcome.point)
    budget -= (try entries.price()) * Double(settled.products)
    let objective = try features.residuals(at: settled.point).reduce(0) { $0 + $1 * $1 }
    guard settled.rounds > 0, objective < outcome.objective else { return }
    outcome.products += settled.products
    outcome.steps += settled.rounds
    (outcome.point, outcome.objective) = (settled.point, objective)
  }

  /// Where the best of the descents from grey pictures ends: all go some way, the best goes on.
  private func descend(
    on features: FrontierResiduals, to source: Network.Source, from starts: [[Double]],
    isDetermined: Bool
  ) throws(CascadeStop) -> PictureDescent? {
    // A value and its gradient, against one product.
    let price = 2 * (try features.price())
    let limit = min(Self.descentLimit, Int(budget / 2 / price))
    guard limit >= 2 * Self.raceLength * starts.count else { return nil }
    let name = walk.name(source)
    let report = { [self] (descent: PictureDescent) in
      progress(
        "descent to \(name): objective \(descent.objective.displayed), \(descent.evaluations) "
          + "evaluations")
      return !isLate()
    }
    let goal = Self.objective(Self.descentGoal, of: features)
    var evaluations = 0
    var best: PictureDescent?
    for start in starts {
      var descent = PictureDescent(features, from: start, isDetermined: isDetermined)
      try descent.run(to: goal, evaluations: Self.raceLength, report: report)
      evaluations += descent.evaluations
      // The others, whose histories are several times as large as the picture, are let go.
      if descent.objective < best?.objective ?? .infinity { best = descent }
    }
    guard var best else { return nil }
    evaluations -= best.evaluations
    try best.run(to: goal, evaluations: limit, report: report)
    evaluations += best.evaluations
    budget -= price * Double(evaluations)
    let misfit = (best.objective / Double(features.count)).squareRoot()
    account.append(
      "\(evaluations) evaluations from grey pictures came to a relative misfit of "
        + "\(misfit.displayed) at \(name)")
    return best
  }

  /// `‖r‖²` of residuals of this size.
  private static func objective(_ misfit: Double, of function: FrontierResiduals) -> Double {
    misfit * misfit * Double(function.count)
  }
}
