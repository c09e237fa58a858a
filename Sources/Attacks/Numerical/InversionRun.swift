internal import AuditModel
internal import Dispatch
internal import Synchronization
internal import TensorIR

/// Restarts side by side, with those given up that fall behind.
///
/// Each restart depends on its own start alone, so neither the number of workers nor a pause in
/// between changes a result.
final class InversionRun: Sendable {
  private let schedule: InversionSchedule
  private let control: InversionControl
  private let name: String
  private let identity: String
  /// Makes a search; `true` if it runs beside others.
  private let search: @Sendable (Bool) throws(BackendError) -> any RestartSearch
  private let state: Mutex<State>

  private struct State {
    var restarts: [RestartState]
    var failure: BackendError?
    var interruption: String?
    var lastReport = ContinuousClock.now
    var lastKept = ContinuousClock.now
    let begin = ContinuousClock.now
    /// Steps taken since `begin`.
    var steps = 0
    /// Those among them that `restarts` count.
    var counted = 0
  }

  /// Seconds between two states that are kept, and between two lines of progress.
  private static let (keepInterval, reportInterval) = (
    Duration.seconds(10), Duration.milliseconds(200)
  )

  init(
    _ settings: InversionSettings, starts: [RestartState], identity: String,
    control: InversionControl,
    search: @escaping @Sendable (Bool) throws(BackendError) -> any RestartSearch
  ) throws(NotInvertible) {
    schedule = InversionSchedule(settings)
    name = settings.attack.rawValue
    self.identity = identity
    self.control = control
    self.search = search
    let kept = control.store?.restarts(of: identity)
    guard kept.map({ Self.fits($0, starts, settings) }) ?? true else {
      throw NotInvertible(
        "the state that was kept of it does not fit it; delete the file, or state another --state")
    }
    state = Mutex(State(restarts: kept ?? starts))
  }

  /// Whether restarts from a file can go on where these would start.
  private static func fits(
    _ kept: [RestartState], _ starts: [RestartState], _ settings: InversionSettings
  ) -> Bool {
    kept.count == starts.count
      && zip(kept, starts).allSatisfy { kept, start in
        kept.index == start.index && (0...settings.iterations).contains(kept.iteration)
          && start.vectors.allSatisfy { kept.vectors[$0.key]?.count == $0.value.count }
      }
  }

  /// Runs all restarts to their end.
  ///
  /// - Returns: The restarts, and why the search ended before its last step, if it did.
  func run() throws(BackendError) -> (restarts: [RestartState], interruption: String?) {
    for (place, rung) in schedule.rungs.enumerated() {
      try advance(to: rung)
      if state.withLock({ $0.interruption }) != nil { break }
      guard place + 1 < schedule.rungs.count else { break }
      state.withLock { state in
        InversionSchedule.keepBest(
          schedule.survivors(of: state.restarts.count, behind: place), of: &state.restarts)
      }
    }
    return try state.withLock { state throws(BackendError) in
      if let failure = state.failure { throw failure }
      keep(&state)
      return (state.restarts, state.interruption)
    }
  }

  /// Brings every restart that is left to an iteration, and computes its objective there.
  private func advance(to rung: Int) throws(BackendError) {
    let open = state.withLock { state in
      state.restarts.indices.filter {
        !state.restarts[$0].isAbandoned && state.restarts[$0].iteration < rung
          && !state.restarts[$0].isConverged
      }
    }
    guard !open.isEmpty else { return }
    let workers = min(control.workers, open.count)
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      do throws(BackendError) {
        // Several restarts share the cores; the last one has them to itself.
        let search = try self.search(open.count > 1)
        while true {
          let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard turn < open.count, !isEnding else { return }
          try advance(open[turn], to: rung, search)
        }
      } catch {
        state.withLock { $0.failure = error }
      }
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  private var isEnding: Bool {
    state.withLock { $0.failure != nil || $0.interruption != nil }
  }

  private func advance(
    _ place: Int, to rung: Int, _ search: any RestartSearch
  ) throws(BackendError) {
    var restart = state.withLock { $0.restarts[place] }
    search.load(restart.vectors)
    var unreported = 0
    while restart.iteration < rung {
      if let interruption = control.interruption {
        state.withLock { $0.interruption = $0.interruption ?? interruption }
        break
      }
      guard let objective = try search.step(rate: schedule.rate(at: restart.iteration)) else {
        restart.isConverged = true
        break
      }
      restart.objective = objective
      if restart.iteration.isMultiple(of: schedule.stride) {
        restart.curve.append(.init(iteration: restart.iteration, objective: objective))
      }
      restart.iteration += 1
      unreported += 1
      if !objective.isFinite {
        restart.isConverged = true
        break
      }
      if note(restart, &unreported) {
        restart.vectors = search.vectors()
        state.withLock { state in
          state.counted += restart.iteration - state.restarts[place].iteration
          state.restarts[place] = restart
          keep(&state)
        }
      }
    }
    restart.vectors = search.vectors()
    if restart.objective.isFinite || restart.iteration == 0 {
      restart.objective = try search.objective()
    }
    let isLast = rung == schedule.iterations || restart.isConverged
    if isLast, restart.iteration == rung || restart.isConverged {
      restart.curve.append(.init(iteration: restart.iteration, objective: restart.objective))
    }
    state.withLock { [restart] in
      $0.steps += unreported
      $0.counted += restart.iteration - $0.restarts[place].iteration
      $0.restarts[place] = restart
    }
  }

  /// Reports where the search stands from time to time.
  ///
  /// - Returns: Whether it is time to keep the state.
  private func note(_ restart: RestartState, _ steps: inout Int) -> Bool {
    let now = ContinuousClock.now
    return state.withLock { state in
      state.steps += steps
      steps = 0
      if now - state.lastReport >= Self.reportInterval {
        state.lastReport = now
        control.progress(text(restart, state, elapsed: now - state.begin))
      }
      return control.store != nil && now - state.lastKept >= Self.keepInterval
    }
  }

  private func text(_ restart: RestartState, _ state: State, elapsed: Duration) -> String {
    var parts = [
      "\(name): iteration \(DisplayedNumber.grouped(restart.iteration)) of "
        + DisplayedNumber.grouped(schedule.iterations),
      "objective \(restart.objective.displayed)",
    ]
    if state.restarts.count > 1 {
      let alive = state.restarts.count { !$0.isAbandoned }
      parts.append("restart \(restart.index + 1) of \(state.restarts.count), \(alive) left")
    }
    if state.steps > 0, elapsed > .seconds(2) {
      let left = Double(schedule.stepsLeft(state.restarts) - state.steps + state.counted)
      let seconds = max(left, 0) / Double(state.steps) * (elapsed / .seconds(1))
      parts.append("about \(DisplayedNumber.grouped(Int(min(seconds, 1e9)))) s left")
    }
    return parts.joined(separator: ", ")
  }

  private func keep(_ state: inout State) {
    state.lastKept = .now
    control.store?.keep(state.restarts, of: identity)
  }
}
