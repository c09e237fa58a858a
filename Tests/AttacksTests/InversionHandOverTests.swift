import AuditModel
import CPUBackend
import Networks
import TensorIR
import Tensors
import Testing

@testable import Attacks

/// What closed forms hand to a search, and what a search spends.
@Suite("Searches behind the cascade")
struct InversionHandOverTests {
  private static let backend = CPUBackend(threads: 1)

  /// Networks that hold maps in orders of axes of their own.
  private static let orders = [
    "sigmoid, as Keras stores it", "strided ReLU", "projection shortcut", "permuted and reshaped",
  ]

  private static func problem(
    _ sample: GradientSample, labels: [Int]
  ) throws -> InversionProblem {
    try InversionProblem(
      sample.observation(.float64), labels: labels, seeksLabels: false, knowing: Knowledge(),
      box: nil)
  }

  /// Known to a thousandth, features add at most a millionth at the truth; in another order of axes they
  /// would add about 1.
  @Test(
    "the features that the cascade determined are those of the input",
    arguments: CascadeNetwork.all.filter { orders.contains($0.description) })
  func features(subject: CascadeNetwork) throws {
    let sample = try GradientSample(
      subject.network, subject.initialization, convention: subject.convention)
    let knowledge = sample.observation(.float64).attacked()
    let features = try #require(knowledge.features)
    let problem = try Self.problem(sample, labels: [1])
    var settings = InversionSettings(.auto)
    (settings.totalVariation, settings.precision) = (0, .double)
    let function = try InversionPrograms(problem: problem, features: features)
      .objective(settings, on: Self.backend)
    #expect(try function.evaluate(at: sample.inputs[0]).objective < 2e-6)
    // The term is there: elsewhere it counts.
    let elsewhere = sample.inputs[0].map { 1 - $0 }
    let without = try InversionPrograms(problem: problem).objective(settings, on: Self.backend)
    #expect(
      try function.evaluate(at: elsewhere).objective
        > without.evaluate(at: elsewhere).objective + 1e-6)
  }

  @Test(
    "steps as one program and steps on an objective are the same",
    arguments: [InversionSettings.Optimizer.adam, .signedAdam])
  func steps(optimizer: InversionSettings.Optimizer) throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform, samples: 2)
    var problem = try Self.problem(sample, labels: [1, 2])
    problem.box = InputBox(lower: [0, 0.1], upper: [0.8, 1], isChannelsFirst: true)
    var settings = InversionSettings(.invertingGradients)
    (settings.optimizer, settings.precision) = (optimizer, .double)
    let programs = InversionPrograms(problem: problem)
    let searches: [any RestartSearch] = [
      try programs.search(settings, on: Self.backend),
      ObjectiveSearch(
        try programs.objective(settings, on: Self.backend), settings, box: problem.box,
        shape: problem.shape),
    ]
    #expect(searches[0] is GradientSearch)
    var generator = SplitMix64(seed: 3)
    let start = GradientSearch.start((0..<problem.count).map { _ in generator.normal() })
    for search in searches { search.load(start) }
    for _ in 0..<10 {
      let objectives = try searches.map { try $0.step(rate: 0.05) ?? .nan }
      #expect(abs(objectives[0] - objectives[1]) < 1e-10)
    }
    let ends = searches.map { $0.vectors() }
    for name in ["input", "momentum", "variance"] {
      #expect(relativeError(ends[0][name] ?? [], ends[1][name] ?? []) < 1e-8, "\(name)")
    }
  }

  @Test("auto takes fewer steps where all would cost too much, and none where few would")
  func work() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform)
    var control = NumericalInversionTests.control(.auto)
    control.attacks[0].restarts = 1
    // These go on to the end.
    control.attacks[0].optimizer = .signedAdam
    let whole = NumericalInversionTests.knowledge(sample, control)
    #expect(whole.inversions.first?.summary.iterations == 400)
    let price = try Double(
      InversionPrograms(problem: Self.problem(sample, labels: [1])).multiplyAdds())
    control.workLimit = 150 * price * 7 / 3
    let part = try #require(NumericalInversionTests.knowledge(sample, control).inversions.first)
    #expect((149...150).contains(part.summary.iterations))
    #expect(part.summary.stop.contains("unasked"))
    control.workLimit = 50 * price * 7 / 3
    let none = NumericalInversionTests.knowledge(sample, control)
    #expect(none.inversions.isEmpty)
    #expect(none.notInverted.first?.reason.contains("--iterations") == true)
    // An attack that was named is not held back.
    var named = NumericalInversionTests.control(.invertingGradients)
    named.workLimit = 1
    #expect(NumericalInversionTests.knowledge(sample, named).inversions.count == 1)
  }

  /// So few and long steps lead away from an input that is right to a ten-thousandth.
  @Test("a search that only leads away from what closed forms left returns that")
  func noWorse() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform)
    var control = NumericalInversionTests.control(.auto)
    (control.attacks[0].iterations, control.attacks[0].restarts) = (3, 1)
    (control.attacks[0].stepSize, control.attacks[0].optimizer) = (0.5, .signedAdam)
    control.labels = [1]
    var generator = SplitMix64(seed: 9)
    var knowledge = Knowledge()
    knowledge.approach = sample.inputs[0].map { $0 + 1e-4 * generator.normal() }
    NumericalInversion.run(on: sample.observation(.float64), knowing: &knowledge, control)
    let result = try #require(knowledge.inversions.first)
    #expect(result.summary.stop.contains("none led nearer to the gradient"))
    #expect(relativeError(result.samples[0], sample.inputs[0]) < 1e-3)
    #expect(result.summary.gradientMatch < 1e-3)
    // What is returned lies in the box, as every step does.
    control.box = InputBox(lower: [0.3], upper: [0.6], isChannelsFirst: true)
    (knowledge.inversions, knowledge.recoveries) = ([], [:])
    NumericalInversion.run(on: sample.observation(.float64), knowing: &knowledge, control)
    let boxed = try #require(knowledge.inversions.first)
    #expect(boxed.samples[0].allSatisfy { (0.3...0.6).contains($0) })
  }

  @Test("a size that only a file claims is refused before memory is taken")
  func claimedSize() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform)
    var observation = sample.observation()
    observation.batchSize = 1 << 24
    var knowledge = Knowledge()
    NumericalInversion.run(
      on: observation, knowing: &knowledge, NumericalInversionTests.control(.dlg))
    #expect(knowledge.notInverted.first?.reason.contains("16777216 samples are more") == true)
  }

  @Test("a stated start of another size, and a kept state of another search, are refused")
  func foreignState() throws {
    let sample = try GradientSample(NumericalInversionTests.network, .uniform)
    var control = NumericalInversionTests.control(.invertingGradients)
    control.start = [[0.5]]
    let start = NumericalInversionTests.knowledge(sample, control)
    #expect(start.notInverted.first?.reason.contains("--start") == true)
    control.start = nil
    for change in ForeignStore.Change.allCases {
      control.store = ForeignStore(change: change)
      let kept = NumericalInversionTests.knowledge(sample, control)
      #expect(kept.inversions.isEmpty)
      #expect(kept.notInverted.first?.reason.contains("--state") == true, "\(change)")
    }
  }
}

/// Holds states that fit no search, whatever is asked for.
private struct ForeignStore: InversionStore {
  enum Change: CaseIterable { case count, index, iteration, size, name }

  let change: Change

  func restarts(of identity: String) -> [RestartState]? {
    (0..<(change == .count ? 3 : 4)).map { index in
      var vectors = GradientSearch.start(Array(repeating: 0, count: change == .size ? 5 : 72))
      if change == .name { vectors["variance"] = nil }
      var restart = RestartState(index: change == .index ? index + 1 : index, vectors: vectors)
      if change == .iteration { restart.iteration = 401 }
      return restart
    }
  }

  func keep(_ restarts: [RestartState], of identity: String) {}
}
