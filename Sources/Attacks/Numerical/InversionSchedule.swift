internal import AuditModel

/// How long steps are, and when restarts that fall behind are given up.
struct InversionSchedule: Hashable, Sendable {
  let iterations: Int
  let stepSize: Double
  let decays: Bool
  /// After so many iterations the better half of the restarts goes on; the last is the end.
  let rungs: [Int]

  init(_ settings: InversionSettings) {
    iterations = settings.iterations
    stepSize = settings.stepSize
    decays = settings.decays
    var rungs = [settings.iterations]
    var left = settings.restarts
    while settings.halves, left > 1, rungs[0] / 2 > 0 {
      rungs.insert(rungs[0] / 2, at: 0)
      left = (left + 1) / 2
    }
    self.rungs = rungs
  }

  /// The rate of the step behind `iteration` others: ten times less from 3/8, 5/8 and 7/8 on.
  func rate(at iteration: Int) -> Double {
    guard decays else { return stepSize }
    let passed = [3, 5, 7].count { iteration >= iterations * $0 / 8 }
    return [1, 0.1, 0.01, 0.001][passed] * stepSize
  }

  /// Every how many steps a point of the curve is kept.
  var stride: Int { max((iterations + 199) / 200, 1) }

  /// How many of so many restarts go on behind a rung: half of them behind the first, and so on.
  func survivors(of restarts: Int, behind rung: Int) -> Int {
    (0...rung).reduce(restarts) { left, _ in (left + 1) / 2 }
  }

  /// Gives up all but the best restarts.
  ///
  /// Those without a finite objective go first; of equal ones the later.
  static func keepBest(_ count: Int, of restarts: inout [RestartState]) {
    let alive = restarts.indices.filter { !restarts[$0].isAbandoned }
    let order = alive.sorted {
      (restarts[$0].rank, restarts[$0].index) < (restarts[$1].rank, restarts[$1].index)
    }
    for place in order.dropFirst(count) { restarts[place].isAbandoned = true }
  }

  /// Steps that are still to be taken, if no search ends early.
  func stepsLeft(_ restarts: [RestartState]) -> Int {
    var alive = restarts.filter { !$0.isAbandoned && !$0.isConverged }.map(\.iteration)
    var steps = 0
    for (place, rung) in rungs.enumerated() {
      for index in alive.indices where alive[index] < rung {
        steps += rung - alive[index]
        alive[index] = rung
      }
      guard place + 1 < rungs.count else { break }
      alive = Array(alive.prefix(survivors(of: restarts.count, behind: place)))
    }
    return steps
  }
}

extension RestartState {
  /// The objective, with numbers that are none behind all others.
  var rank: Double { objective.isNaN ? .infinity : objective }
}
