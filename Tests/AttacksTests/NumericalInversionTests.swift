import AuditModel
import CPUBackend
import Networks
import Synchronization
import TensorIR
import Tensors
import Testing

@testable import Attacks

/// Searches on networks so small that they end in a moment.
@Suite("Numerical inversion")
struct NumericalInversionTests {
  /// One sample of it is determined by its gradient, two are as well.
  static let network = Network(
    "small", input: [2, 6, 6],
    [
      "a": Networks.Convolution.square(8, 3, stride: 2, padding: 1), "b": Activation(.sigmoid),
      "c": Networks.Convolution.square(8, 3, padding: 1), "d": Activation(.sigmoid),
      "e": Flatten(), "f": Dense(outputs: 4),
    ])

  static func control(_ attack: InversionSettings.Attack, workers: Int = 1) -> InversionControl {
    var settings = InversionSettings(attack, hasKinks: network.hasKinks)
    (settings.iterations, settings.restarts, settings.stepSize) = (400, 4, 0.05)
    settings.totalVariation = 0
    var control = InversionControl(
      backend: CPUBackend(threads: 1), restartBackend: CPUBackend(threads: 1))
    control.attacks = [settings]
    control.workers = workers
    control.box = InputBox(lower: [0], upper: [1], isChannelsFirst: true)
    return control
  }

  /// What a search finds where no closed form ran before it.
  static func knowledge(
    _ sample: GradientSample, _ control: InversionControl, labels: [Int]? = [1]
  ) -> Knowledge {
    var control = control
    control.labels = labels
    var knowledge = Knowledge()
    NumericalInversion.run(on: sample.observation(.float64), knowing: &knowledge, control)
    return knowledge
  }

  private static func psnr(_ found: [Double], _ truth: [Double]) -> Double {
    let error = zip(found, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return Decibels.psnr(meanSquaredError: error / Double(truth.count))
  }

  @Test("the published attack comes near, and auto takes it to the last digits")
  func recovery() throws {
    let sample = try GradientSample(Self.network, .uniform)
    let published = Self.knowledge(sample, Self.control(.invertingGradients))
    let first = try #require(published.inversions.first)
    #expect(first.summary.gradientMatch < 0.3)
    #expect(Self.psnr(first.samples[0], sample.inputs[0]) > 12)
    #expect(published.recoveries.isEmpty, "an estimate is no recovery")

    let auto = Self.knowledge(sample, Self.control(.auto))
    let recovery = try #require(auto.recoveries[0])
    #expect(recovery.isProven && recovery.certificates[0] < 1e-6)
    #expect(Self.psnr(recovery.samples[0], sample.inputs[0]) > 100)
  }

  @Test("several samples of a batch are found together, each with its label")
  func batch() throws {
    let sample = try GradientSample(Self.network, .uniform, samples: 2)
    let knowledge = Self.knowledge(sample, Self.control(.auto), labels: [1, 2])
    let found = try #require(knowledge.inversions.first)
    #expect(found.samples.count == 2 && found.labels == [1, 2])
    for (one, truth) in zip(found.samples, sample.inputs) {
      #expect(Self.psnr(one, truth) > 40, "\(found.summary.gradientMatch)")
    }
  }

  @Test(
    "neither the number of workers nor a pause changes a result",
    arguments: [InversionSettings.Attack.invertingGradients, .auto])
  func determinism(attack: InversionSettings.Attack) throws {
    let sample = try GradientSample(Self.network, .uniform)
    let alone = Self.knowledge(sample, Self.control(attack))
    let side = Self.knowledge(sample, Self.control(attack, workers: 3))
    let expected = try #require(alone.inversions.first)
    #expect(expected.samples == side.inversions.first?.samples)
    #expect(expected.summary.restarts == side.inversions.first?.summary.restarts)

    for limit in [1, 77, 150, 301] {
      let store = MemoryStore()
      var paused = Self.control(attack)
      paused.store = store
      let steps = Atomic(0)
      let first = paused
      var stopping = first
      stopping.isCancelled = { steps.wrappingAdd(1, ordering: .relaxed).newValue > limit }
      let part = try #require(Self.knowledge(sample, stopping).inversions.first)
      // The first question is whether to begin.
      #expect(part.wasInterrupted && part.summary.iterations == limit - 1)
      #expect(part.summary.stop.hasPrefix("interrupted"))
      let whole = try #require(Self.knowledge(sample, paused).inversions.first)
      #expect(whole.samples == expected.samples, "\(limit)")
      #expect(whole.summary.curve == expected.summary.curve)
      #expect(whole.summary.restarts == expected.summary.restarts)
    }
  }

  @Test("another seed starts elsewhere, and a stated start is where the first restart begins")
  func starts() throws {
    let sample = try GradientSample(Self.network, .uniform)
    var control = Self.control(.invertingGradients)
    control.attacks[0].iterations = 1
    control.attacks[0].restarts = 1
    let first = try #require(Self.knowledge(sample, control).inversions.first)
    control.attacks[0].seed = 1
    let second = try #require(Self.knowledge(sample, control).inversions.first)
    #expect(first.samples != second.samples)
    control.start = sample.inputs
    let given = try #require(Self.knowledge(sample, control).inversions.first)
    #expect(given.summary.curve[0].objective < 1e-6)
    #expect(given.summary.start.contains("--start"))
  }

  @Test("every value stays in its box")
  func box() throws {
    let sample = try GradientSample(Self.network, .uniform)
    var control = Self.control(.invertingGradients)
    control.box = InputBox(lower: [0.2, 0.4], upper: [0.5, 0.6], isChannelsFirst: true)
    control.attacks[0].iterations = 20
    let found = try #require(Self.knowledge(sample, control).inversions.first).samples[0]
    // Single precision rounds the bounds.
    #expect(found[..<36].allSatisfy { (0.2 - 1e-7...0.5 + 1e-7).contains($0) })
    #expect(found[36...].allSatisfy { (0.4 - 1e-7...0.6 + 1e-7).contains($0) })
  }

  @Test("what auto ends with is a valid picture")
  func validPicture() throws {
    let sample = try GradientSample(Self.network, .uniform, samples: 2)
    var control = Self.control(.auto)
    control.box = InputBox(lower: [0.2, 0.4], upper: [0.5, 0.6], isChannelsFirst: true)
    control.attacks[0].iterations = 20
    let result = try #require(Self.knowledge(sample, control, labels: [1, 2]).inversions.first)
    #expect(result.summary.settings.contains { $0.value == "spectral-lbfgs" })
    for found in result.samples {
      #expect(found[..<36].allSatisfy { (0.2...0.5).contains($0) })
      #expect(found[36...].allSatisfy { (0.4...0.6).contains($0) })
    }
  }

  @Test("labels are sought where they are not known")
  func labels() throws {
    let sample = try GradientSample(Self.network, .uniform)
    var control = Self.control(.dlg)
    control.attacks[0].iterations = 200
    control.attacks[0].stepSize = 1
    let found = try #require(Self.knowledge(sample, control, labels: nil).inversions.first)
    #expect(found.labels == [1] && found.summary.gradientMatch < 0.05)
  }

  @Test("what is missing is named")
  func missing() throws {
    let sample = try GradientSample(Self.network, .uniform, samples: 2)
    func reason(
      labels: [Int]? = [1, 2], _ change: (inout Observation) -> Void = { _ in }
    ) -> String {
      var observation = sample.observation()
      change(&observation)
      var control = Self.control(.invertingGradients)
      control.labels = labels
      var knowledge = Knowledge()
      NumericalInversion.run(on: observation, knowing: &knowledge, control)
      #expect(knowledge.inversions.isEmpty)
      return knowledge.notInverted.first?.reason ?? ""
    }
    #expect(reason { $0.batchSize = nil }.contains("--batch-size"))
    #expect(reason(labels: nil).contains("--labels"))
    #expect(reason(labels: [1]).contains("1 labels are stated; 2 are needed"))
    #expect(reason(labels: [1, 9]).contains("each below 4"))
    #expect(reason { $0.weights = ParameterTable(convention: .channelsFirst) }.contains("weights"))
    #expect(reason { $0.gradient = $0.gradient.mapped(.float64) { _, _ in 0 } }.contains("zero"))
    #expect(reason { $0.gradient = $0.gradient.mapped(.float64) { _, _ in .nan } }.contains("NaN"))
    #expect(reason { ($0.source, $0.steps) = (.update, 5) }.contains("learning_rate"))
  }

  @Test("auto has nothing to do where closed forms recovered everything, and says nothing")
  func nothingToDo() throws {
    let sample = try GradientSample(Self.network, .uniform)
    let knowledge = AttackCatalog.run(
      on: sample.observation(.float64), backend: CPUBackend(threads: 1),
      inversion: Self.control(.auto))
    #expect(knowledge.picture?.isProven == true)
    #expect(knowledge.inversions.isEmpty && knowledge.notInverted.isEmpty)
  }
}

/// Keeps states in memory.
private final class MemoryStore: InversionStore {
  private let kept = Mutex<[String: [RestartState]]>([:])

  func restarts(of identity: String) -> [RestartState]? { kept.withLock { $0[identity] } }

  func keep(_ restarts: [RestartState], of identity: String) {
    kept.withLock { $0[identity] = restarts }
  }
}
