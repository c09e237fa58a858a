internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// One attack on one problem, from its starts to what it is worth.
struct InversionAttack {
  let problem: InversionProblem
  private(set) var settings: InversionSettings
  let control: InversionControl
  let source: String
  private let programs: InversionPrograms
  /// What closed forms came near to; one vector for the only sample.
  private let approach: [Double]?

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
    approach = isAuto ? knowledge.approach : nil
  }

  /// - Throws: ``NotInvertible`` if the network cannot be computed, or what is asked for makes no sense
  ///   here.
  mutating func run() throws(NotInvertible) -> NumericalInversion.Result {
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
    let search = try InversionRun(
      settings, starts: starts(), identity: identity, control: control
    ) { [programs, settings, control] isBesideOthers throws(BackendError) in
      do throws(NotInvertible) {
        return try programs.search(
          settings, on: isBesideOthers || isSmall ? control.restartBackend : control.backend)
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
    result.wasInterrupted = control.isCancelled()
    if settings.attack == .auto { try polish(&result) }
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
    let match = try programs.gradientMatch(at: best.input, on: control.backend)
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
      summary: summary, samples: split(best.input), labels: labels(best))
  }

  private func split(_ point: [Double]) -> [[Double]] {
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

  /// Least squares on every entry of the gradient, from where the search ended; and whether the
  /// equations determine the inputs there.
  private func polish(_ result: inout NumericalInversion.Result) throws(NotInvertible) {
    guard problem.labels != nil, problem.steps == nil, control.interruption == nil else { return }
    let equations = try GradientEquations(programs, on: control.backend)
    guard equations.count >= problem.count else { return }
    do throws(CascadeStop) {
      var marquardt = LevenbergMarquardt()
      marquardt.range = problem.box.flatMap {
        $0.lower.count == 1 ? $0.lower[0]...$0.upper[0] : nil
      }
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
        equations, at: result.samples.flatMap { $0 }, errors: nil, factor: outcome.factor)
      let excess = max(1, (outcome.objective / Double(equations.count)).squareRoot())
      result.predictedError = doubt.error * excess
      result.determinedShare = doubt.share
    } catch {
      throw NotInvertible(error.description)
    }
  }

  /// Multiply-adds that the polish may cost.
  private static let polishBudget = 2.5e12
}

// MARK: - Starts

extension InversionAttack {
  private func starts() -> [RestartState] {
    (0..<max(settings.restarts, 1)).map { index in
      // Far apart, so that neighbouring seeds do not share streams.
      var generator = SplitMix64(
        seed: SplitMix64.mixed(settings.seed, UInt64(truncatingIfNeeded: index)))
      var point = (0..<problem.count).map { _ in generator.normal() }
      if index == 0 { point = control.start?.flatMap { $0 } ?? approach ?? point }
      if problem.labels == nil {
        point += (0..<problem.samples * problem.classes).map { _ in generator.normal() }
      }
      let vectors =
        settings.optimizer == .lbfgs ? [RestartState.input: point] : GradientSearch.start(point)
      return RestartState(index: index, vectors: vectors)
    }
  }

  private var startName: String {
    if control.start != nil { return "the inputs that --start states" }
    let point = approach == nil ? "standard normal numbers" : "what the closed forms left"
    guard let features = programs.features else { return point }
    return point
      + ", with the output of '\(problem.network.nodes[features.node].name)' as an equation"
  }

  /// Root mean square distance of the other restarts that ran to the end from the best, over the
  /// deviation of the best.
  private func spread(_ restarts: [RestartState], _ best: RestartState) -> Double? {
    let others = restarts.filter { !$0.isAbandoned && $0.index != best.index }
    guard !others.isEmpty else { return nil }
    let values = Array(best.input.prefix(problem.count))
    let mean = values.reduce(0, +) / Double(values.count)
    let size = values.map { $0 - mean }.rootMeanSquareOrZero
    let distances = others.map { other in
      zip(values, other.input).map { $0 - $1 }.rootMeanSquareOrZero
    }
    return size > 0 ? distances.rootMeanSquareOrZero / size : nil
  }

  /// A text that is equal for equal problems and settings only, but for chance.
  private var identity: String {
    var hash = Fingerprint()
    for (key, tensor) in problem.keys.map({ ($0, problem.gradient.tensors[$0]) }) {
      hash.add(Double(key.node))
      tensor?.elements().forEach { hash.add($0) }
    }
    for key in problem.weights.keys {
      problem.weights.tensors[key]?.elements().forEach { hash.add($0) }
    }
    (problem.labels ?? []).forEach { hash.add(Double($0)) }
    (control.start ?? []).joined().forEach { hash.add($0) }
    (approach ?? []).forEach { hash.add($0) }
    (programs.features?.values ?? []).forEach { hash.add($0) }
    let words = settings.description.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    let bounds = problem.box.map { "\($0.lower) to \($0.upper)" } ?? "none"
    let plan = problem.steps.map { "\($0.batches) at \($0.learningRate)" } ?? "one step"
    return "\(settings.attack.rawValue), \(words), \(problem.samples) samples, bounds \(bounds), "
      + "\(plan), \(problem.loss), \(problem.mode), \(hash.text)"
  }
}

/// A short number for many.
///
/// - Source: Fowler, Noll & Vo: FNV-1a, 64 bits.
private struct Fingerprint {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ value: Double) {
    state = (state ^ value.bitPattern) &* 0x0000_0100_0000_01b3
    state ^= state >> 29
  }

  var text: String { String(state, radix: 16) }
}
