import AuditModel
import Testing

@testable import Attacks

@Suite("Schedule of restarts")
struct InversionScheduleTests {
  private static func schedule(
    iterations: Int, restarts: Int, halves: Bool = true
  ) -> InversionSchedule {
    var settings = InversionSettings(.invertingGradients)
    (settings.iterations, settings.restarts, settings.halves) = (iterations, restarts, halves)
    return InversionSchedule(settings)
  }

  @Test(
    "steps are ten times shorter from 3/8, 5/8 and 7/8 on",
    arguments: [
      (0, 0.1), (1_799, 0.1), (1_800, 0.01), (2_999, 0.01), (3_000, 0.001), (4_199, 0.001),
      (4_200, 0.0001), (4_799, 0.0001),
    ])
  func decay(iteration: Int, rate: Double) {
    let schedule = Self.schedule(iterations: 4_800, restarts: 1)
    #expect(abs(schedule.rate(at: iteration) - rate) < 1e-15)
  }

  @Test(
    "half of the restarts goes on behind each rung",
    arguments: [
      (1, [4_800]), (2, [2_400, 4_800]), (5, [600, 1_200, 2_400, 4_800]),
      (8, [600, 1_200, 2_400, 4_800]), (16, [300, 600, 1_200, 2_400, 4_800]),
    ])
  func rungs(restarts: Int, expected: [Int]) {
    let schedule = Self.schedule(iterations: 4_800, restarts: restarts)
    #expect(schedule.rungs == expected)
    let last = expected.indices.dropLast().reduce(restarts) { left, _ in (left + 1) / 2 }
    #expect(last == 1)
    #expect(Self.schedule(iterations: 4_800, restarts: restarts, halves: false).rungs == [4_800])
  }

  @Test("the worse go first, and those without a number before them")
  func keeping() {
    var restarts = [0.3, .nan, 0.1, 0.2, .infinity, 0.1].enumerated().map { index, objective in
      var restart = RestartState(index: index, vectors: [:])
      restart.objective = objective
      return restart
    }
    InversionSchedule.keepBest(3, of: &restarts)
    #expect(restarts.filter { !$0.isAbandoned }.map(\.index) == [2, 3, 5])
    InversionSchedule.keepBest(1, of: &restarts)
    #expect(restarts.filter { !$0.isAbandoned }.map(\.index) == [2])
  }

  @Test("steps that are left are counted down to none")
  func stepsLeft() {
    let schedule = Self.schedule(iterations: 800, restarts: 4)
    var restarts = (0..<4).map { RestartState(index: $0, vectors: [:]) }
    // 4 × 200, then 2 × 200, then 400.
    #expect(schedule.stepsLeft(restarts) == 800 + 400 + 400)
    for index in restarts.indices { restarts[index].iteration = 200 }
    InversionSchedule.keepBest(2, of: &restarts)
    #expect(schedule.stepsLeft(restarts) == 400 + 400)
    restarts[0].iteration = 800
    restarts[1].isConverged = true
    #expect(schedule.stepsLeft(restarts) == 0)
  }
}
