internal import AuditModel
internal import TensorIR

/// One attack on one problem, from its starts to what it is worth.
struct InversionAttack {
  let problem: InversionProblem
  private(set) var settings: InversionSettings
  let control: InversionControl
  let source: String
  let programs: InversionPrograms
  /// What closed forms came near to; one vector for the only sample.
  let approach: [Double]?

  init(
    _ problem: InversionProblem, _ settings: InversionSettings, _ control: InversionControl,
    source: String, knowing knowledge: Knowledge
  ) {
    self.problem = problem
    self.settings = settings
    self.control = control
    self.source = source
    let isAuto = settings.attack == .auto && problem.samples == 1
    programs = InversionPrograms(
      problem: problem, features: isAuto ? knowledge.features : nil)
    approach = isAuto ? knowledge.approach.map(problem.boxed) : nil
  }

  /// - Throws: ``NotInvertible`` if the network cannot be computed, or what is asked for makes no sense
  ///   here.
  mutating func run() throws(NotInvertible) -> NumericalInversion.Result {
    if settings.attack == .auto, !problem.isScaleKnown { settings.distance = .cosine }
    guard settings.distance == .cosine || problem.isScaleKnown else {
      throw NotInvertible(
        "the size of the gradient is not known, which a squared distance needs; the learning rate of "
          + "the step is needed (attribute learning_rate), or the cosine distance")
    }
    guard control.start.map({ $0.reduce(0) { $0 + $1.count } == problem.count }) ?? true else {
      throw NotInvertible(
        "--start does not hold \(problem.samples) samples of the model's input; it is needed so")
    }
    let begin = ContinuousClock.now
    let work = try programs.multiplyAdds()
    let wanted = settings.iterations
    try economize(work)
    // Threads of their own pay where there is enough to do, and never beside others.
    let isSmall = work < 30_000_000
    let backend = isSmall ? control.restartBackend : control.backend
    let search = try InversionRun(
      settings, starts: starts(), identity: identity, control: control
    ) { [programs, settings, control] isBesideOthers throws(BackendError) in
      do throws(NotInvertible) {
        return try programs.search(
          settings, on: isBesideOthers ? control.restartBackend : backend)
      } catch {
        throw BackendError(error.description)
      }
    }
    let (restarts, interruption): ([RestartState], String?)
    do throws(BackendError) {
      (restarts, interruption) = try search.run()
    } catch {
      throw NotInvertible(error.description)
    }
    guard let best = restarts.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else {
      throw NotInvertible("no restart was asked for")
    }
    var result = try result(best, restarts, interruption)
    if settings.iterations < wanted { result.summary.stop += ", as many as auto spends unasked" }
    try returnApproach(ifBetterThan: &result)
    result.wasInterrupted = control.isCancelled()
    if settings.attack == .auto { try polish(&result, on: backend) }
    result.summary.seconds = (ContinuousClock.now - begin) / .seconds(1)
    return result
  }

  /// Takes fewer steps where all of them would cost more than auto may.
  ///
  /// A step costs a gradient and its tangent, seven passes for the three of `work`; a step of an update
  /// the same for each of the client's, and computing them again.
  private mutating func economize(_ work: Int) throws(NotInvertible) {
    guard settings.attack == .auto, let limit = control.workLimit else { return }
    let passes =
      problem.steps.map { plan in
        4 * Double(plan.batches.reduce(0) { $0 + $1.count }) / Double(problem.samples)
      } ?? 7 / 3
    let price = max(Double(work), 1) * passes * Double(settings.restarts)
    guard price * Double(settings.iterations) > limit else { return }
    guard limit / price >= Double(Self.leastIterations) else {
      throw NotInvertible(
        "a search would cost more than auto spends unasked (\(price.displayed) multiply-adds an "
          + "iteration); name an attack, or state --iterations, to run it anyway")
    }
    settings.iterations = Int(limit / price)
  }

  /// With fewer steps no search comes anywhere.
  private static let leastIterations = 100

  private func result(
    _ best: RestartState, _ restarts: [RestartState], _ interruption: String?
  ) throws(NotInvertible) -> NumericalInversion.Result {
    let input =
      settings.optimizer == .spectralLBFGS ? problem.boxed(best.input) : best.input
    let match = try programs.gradientMatch(at: input, on: control.backend)
    let stop =
      interruption.map { "\($0) after \(best.iteration) iterations" }
      ?? (best.isConverged ? "no step led further down" : "all iterations done")
    let summary = InversionSummary(
      artifact: "", source: source, attack: settings.attack, start: startName,
      settings: settings.description, samples: problem.samples,
      restarts: restarts.map {
        .init(
          index: $0.index, iterations: $0.iteration, objective: $0.objective,
          isAbandoned: $0.isAbandoned)
      },
      iterations: restarts.reduce(0) { $0 + $1.iteration }, objective: best.objective,
      gradientMatch: match, curve: best.curve, stop: stop, spread: spread(restarts, best))
    return NumericalInversion.Result(
      summary: summary, samples: split(input), labels: labels(best))
  }

  /// Puts what the closed forms left in the place of a result whose gradient is farther off.
  private func returnApproach(
    ifBetterThan result: inout NumericalInversion.Result
  ) throws(NotInvertible) {
    guard let approach, control.start == nil else { return }
    let match = try programs.gradientMatch(at: approach, on: control.backend)
    guard match < result.summary.gradientMatch else { return }
    result.samples = split(approach)
    result.summary.gradientMatch = match
    result.summary.stop += "; none led nearer to the gradient than what the closed forms left"
  }

  func split(_ point: [Double]) -> [[Double]] {
    (0..<problem.samples).map { Array(point[$0 * problem.width..<($0 + 1) * problem.width]) }
  }

  /// The labels that were known, or those that a search ended with.
  private func labels(_ restart: RestartState) -> [Int?] {
    if let labels = problem.labels { return labels }
    return (0..<problem.samples).map { sample in
      let start = problem.count + sample * problem.classes
      let own = start..<start + problem.classes
      guard own.upperBound <= restart.input.count else { return nil }
      return own.max { restart.input[$0] < restart.input[$1] }.map { $0 - start }
    }
  }
}
