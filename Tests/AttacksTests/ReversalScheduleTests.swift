import Attacks
import Testing

@Suite("Reversal schedule")
struct ReversalScheduleTests {
  /// A state that counts how many like it exist.
  private final class State {
    let step: Int
    let census: Census

    init(_ step: Int, _ census: Census) {
      self.step = step
      self.census = census
      census.alive += 1
      census.most = max(census.most, census.alive)
    }

    deinit { census.alive -= 1 }
  }

  private final class Census {
    var alive = 0
    var most = 0
    var advances = 0
  }

  /// The fewest advances: from a state, go on by any number of steps, keep that one, and do both
  /// parts as well as possible.
  private static func fewest(_ steps: Int, _ snapshots: Int) -> Int {
    // Per number of snapshots, per number of steps.
    var best = [(0...steps).map { $0 * max($0 - 1, 0) / 2 }]
    for kept in 0..<snapshots {
      var own = [0, 0]
      for count in stride(from: 2, through: steps, by: 1) {
        own.append((1..<count).map { $0 + own[$0] + best[kept][count - $0] }.min() ?? 0)
      }
      best.append(own)
    }
    return best[snapshots][steps]
  }

  @Test(
    "every state is visited once from the end, with few states kept and few computed again",
    arguments: [0, 1, 2, 3, 8], [1, 2, 3, 4, 9, 10, 11, 25, 46, 100])
  func visits(snapshots: Int, steps: Int) {
    let census = Census()
    var visited: [Int] = []
    ReversalSchedule(snapshots: snapshots).run(
      steps: steps, from: State(0, census),
      advance: { state, step in
        #expect(state.step == step)
        state = State(step + 1, census)
        census.advances += 1
      },
      visit: { state, step in
        #expect(state.step == step)
        visited.append(step)
      })
    #expect(visited == Array((0..<steps).reversed()))
    #expect(census.advances == Self.fewest(steps, snapshots))
    // The first, the one at work, and the next while it is made.
    #expect(census.most <= snapshots + 3)
  }

  @Test("no step is no visit")
  func nothing() {
    var visits = 0
    ReversalSchedule(snapshots: 2).run(
      steps: 0, from: 0, advance: { $0 += $1 }, visit: { _, _ in visits += 1 })
    #expect(visits == 0)
  }
}
