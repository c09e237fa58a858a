import Attacks
import AuditModel
import Networks
import Tensors
import Testing

@Suite("Pre-flight checks")
struct PreflightTests {
  private static let model = DenseModel([12, 9, 4], .tanh, seed: 2)
  private static let input: [Double] = {
    var numbers = SeededNumbers(state: 3)
    return numbers.image(12)
  }()

  private func check(_ name: String, _ observation: Observation) -> PreflightCheck? {
    PreflightCatalog.run(on: observation).first { $0.check.hasPrefix(name) }
  }

  private func seen(_ setting: Setting = Setting()) -> Observation {
    Self.model.observation([Self.input], [1], setting)
  }

  @Test("an intact gradient passes every check, and each that fails says why")
  func intact() {
    let checks = PreflightCatalog.run(on: seen())
    #expect(checks.allSatisfy { $0.status == .ok && $0.explanation == nil && !$0.value.isEmpty })
    // Gradient and weights are two lines; there is no batch normalisation.
    #expect(checks.count == PreflightCatalog.all.count)
  }

  @Test("a batch that is larger than stated shows in the rank")
  func batchStatement() {
    var numbers = SeededNumbers(state: 5)
    let images = [numbers.image(12), numbers.image(12)]
    var observation = Self.model.observation(images, [0, 2], Setting())
    observation.batchSize = 2
    #expect(check("batch size", observation)?.status == .ok)
    observation.batchSize = 1
    let found = check("batch size", observation)
    #expect(found?.status == .mismatch && found?.value.contains("at least 2") == true)
    observation.batchSize = nil
    #expect(check("batch size", observation)?.status == .warning)
  }

  @Test("a layer without a gradient is named")
  func coverage() {
    var observation = seen()
    let kept = observation.gradient
    observation.gradient = ParameterTable(convention: kept.convention)
    observation.gradient[0, .weight] = kept[0, .weight]
    let found = check("every layer", observation)
    #expect(found?.status == .warning && found?.value == "1 of 2 layers")
    #expect(found?.explanation?.contains("'fc1'") == true)
  }

  @Test("NaN, infinity and all zeros are a mismatch", arguments: [.nan, .infinity, 0] as [Double])
  func numbers(factor: Double) {
    let found = check("gradient: finite", seen(Setting(factor: factor)))
    #expect(found?.status == .mismatch && found?.explanation != nil)
    #expect(check("weights: finite", seen(Setting(factor: factor)))?.status == .ok)
  }

  @Test("the norm of a tiny or huge gradient is shown", arguments: [1e-26, 1e-200, 1e180])
  func tinyNorm(factor: Double) throws {
    let whole = try #require(norm(check("gradient: finite", seen())))
    for name in ["gradient: finite", "sign and scale"] {
      let shown = try #require(norm(check(name, seen(Setting(factor: factor)))))
      // Both are shown with three digits.
      #expect(abs(shown / factor / whole - 1) < 0.02, "\(name)")
    }
  }

  private func norm(_ check: PreflightCheck?) -> Double? {
    check?.value.split(separator: " ").last.flatMap { Double($0) }
  }

  @Test("a gradient stored transposed against the weights is noticed")
  func axisOrder() {
    var observation = seen()
    observation.gradient = seen(Setting(convention: .channelsFirst)).gradient
    let found = check("axis order", observation)
    #expect(found?.status == .warning && found?.value.contains("weights inputs × outputs") == true)
    #expect(AttackCatalog.run(on: observation).recoveries[0]?.isProven == true)
    let square = DenseModel([5, 5, 5], .tanh, seed: 1)
    let both = square.observation([[1, 2, 3, 4, 5]], [1])
    #expect(check("axis order", both)?.explanation?.contains("square") == true)
  }

  @Test(
    "reduced precision is a warning",
    arguments: [
      (ElementKind.float64, PreflightCheck.Status.ok), (.float32, .ok), (.float16, .warning),
      (.bfloat16, .warning),
    ])
  func precision(kind: ElementKind, status: PreflightCheck.Status) {
    let found = check("number format", seen(Setting(precision: kind)))
    #expect(found?.status == status && found?.value.contains(kind.rawValue) == true)
  }

  @Test(
    "a norm that is a whole number hints at clipping, and no other",
    arguments: [
      (1, PreflightCheck.Status.warning), (5, .warning), (1.0001, .ok), (0.37, .ok), (7321.3, .ok),
      (512.03, .ok), (1e6, .ok),
    ] as [(Double, PreflightCheck.Status)])
  func clipping(norm: Double, status: PreflightCheck.Status) {
    let whole = seen().gradient.keys.compactMap { seen().gradient[$0.node, $0.role] }
      .reduce(0) { $0 + $1.summary().norm * $1.summary().norm }.squareRoot()
    #expect(check("sign and scale", seen(Setting(factor: norm / whole)))?.status == status)
  }

  @Test("the source's sign is stated")
  func sign() {
    let update = seen(Setting(source: .update, sign: -1, factor: -0.013))
    #expect(check("sign", update)?.value.contains("negative sign") == true)
    let slot = seen(Setting(source: .optimizerSlot(.momentum), sign: nil, factor: 0.013))
    #expect(check("sign", slot)?.value.contains("momentum of the optimiser, unknown sign") == true)
  }

  @Test("a batch that nobody states is a warning")
  func batch() {
    #expect(check("batch", seen())?.value == "batch of 1, loss reduced by mean, 1 step")
    let found = check("batch", seen(Setting(batchSize: nil, steps: nil, reduction: nil)))
    #expect(found?.status == .warning && found?.value == "nothing stated")
  }

  @Test("the mode of batch normalisation shows in the bias gradient in front of it")
  func normalization() {
    for (factor, status) in [(1.0, PreflightCheck.Status.ok), (1e-9, .warning)] {
      var gradient = Self.model.gradient([Self.input], [1])
      if status == .warning {
        var numbers = SeededNumbers(state: 4)
        gradient[0].bias = gradient[0].bias.map { _ in factor * numbers.normal() }
      }
      var observation = Self.model.observation(of: gradient, Setting(precision: .float32))
      observation.network = observation.network.replacing("act0", by: BatchNormalization())
      #expect(check("batch-normalisation mode of 'act0'", observation)?.status == status)
      let verdict = AttackCatalog.run(on: observation).verdicts[0]
      #expect((verdict?.leak == .inconclusive) == (status == .warning))
    }
  }

  @Test("weights of another model leave the recovery and are reported")
  func otherWeights() throws {
    var observation = seen()
    let other = DenseModel([12, 9, 4], .tanh, seed: 77)
    observation.weights = other.observation([Self.input], [1]).weights
    let knowledge = AttackCatalog.run(on: observation)
    let found = try #require(knowledge.recoveries[0])
    #expect(relativeError(found.samples[0], Self.input) < 1e-13 && found.isProven)
    #expect(found.scope.contains("own equations"))
    let simulated = knowledge.preflight.first { $0.check.hasPrefix("simulated gradient") }
    #expect(simulated?.status == .warning && simulated?.explanation != nil)
    let own = AttackCatalog.run(on: seen()).preflight
    #expect(own.first { $0.check.hasPrefix("simulated gradient") }?.status == .ok)
  }
}
