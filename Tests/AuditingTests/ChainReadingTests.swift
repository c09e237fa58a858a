import AuditModel
import Auditing
import Networks
import Testing

@Suite("What a chain says about layers")
struct ChainReadingTests {
  /// `conv1 → norm1 → act1 → conv2 → norm2 → act2 → flat → fc`, and what can be said of it.
  static let network = Network(
    "stack", input: [8, 8, 3],
    [
      "conv1": convolution, "norm1": normalisation, "act1": Activation(.relu),
      "drop": Dropout(rate: 0.5), "conv2": convolution, "norm2": normalisation,
      "act2": Activation(.relu),
      "flat": Flatten(), "fc": Dense(outputs: 10, hasBias: true),
    ])

  private static let convolution = Convolution(
    filters: 4, kernel: [3, 3], padding: .same)
  private static let normalisation = BatchNormalization()

  static func step(
    _ layer: String, _ outcome: ChainSummary.Outcome, rank: Int? = 256, note: String = ""
  ) -> ChainSummary.Step {
    ChainSummary.Step(
      layer: layer, kind: "convolution", route: "direct solve", unknowns: 256,
      forwardEquations: 100, gradientEquations: 144, rank: rank, outcome: outcome, note: note)
  }

  static func chain(_ steps: [ChainSummary.Step], reachesInput: Bool = false) -> ChainSummary {
    ChainSummary(
      artifact: "model.h5", source: "gradient (gradient.h5)", steps: steps,
      reachesInput: reachesInput, stop: reachesInput ? nil : "at 'conv1'", rankTolerance: 1e-10)
  }

  private func reading(
    _ steps: ChainSummary.Step..., isObserved: Bool = true, isTrainingMode: Bool? = nil
  ) -> ChainReading {
    ChainReading(
      Self.chain(steps), network: Self.network, isObserved: isObserved,
      isTrainingMode: isTrainingMode)
  }

  private func node(_ name: String) throws -> Int {
    try #require(Self.network.nodes.firstIndex { $0.name == name })
  }

  @Test("each outcome has its own word, its rank and its note")
  func outcomes() throws {
    let cases: [(ChainSummary.Step, LayerLeak, String)] = [
      (Self.step("conv2", .exact), .exact, "direct solve: rank 256 for 256 unknowns"),
      (
        Self.step("conv2", .subspace, rank: 200), .subspace, "a subspace of dimension 56 stays open"
      ),
      // 100 + 144 equations were only counted.
      (
        Self.step("conv2", .subspace, rank: nil), .subspace, "a subspace of dimension 12 stays open"
      ),
      (Self.step("conv2", .gradientOnly), .partial, "its input is not"),
      (Self.step("conv2", .stopped, note: "too wide"), .inconclusive, "too wide"),
    ]
    for (step, leak, part) in cases {
      let judgement = try #require(reading(step).judgement(try node("conv2")))
      #expect(judgement.leak == leak && judgement.reason.contains(part), "\(judgement.reason)")
      #expect(judgement.condition == "one sample")
    }
  }

  @Test("without a gradient the statement is about one, and at random inputs")
  func withoutGradient() throws {
    let judgement = try #require(
      reading(Self.step("conv2", .exact), isObserved: false).judgement(try node("conv2")))
    #expect(judgement.condition == "if the gradient of one sample is seen")
    #expect(judgement.reason.hasSuffix("at random inputs"))
  }

  @Test("a normalisation is passed through where the layer in front is determined, and only there")
  func normalisation() throws {
    let passed = reading(Self.step("conv2", .exact))
    let judgement = try #require(passed.judgement(try node("norm2")))
    #expect(judgement.leak == .exact)
    #expect(judgement.reason.contains("passed through") && judgement.reason.contains("'conv2'"))
    // The input of conv2 does not tell what was in front of the activation.
    #expect(passed.judgement(try node("norm1")) == nil)
    #expect(passed.judgement(try node("conv1")) == nil)
    #expect(reading(Self.step("conv2", .stopped)).judgement(try node("norm2")) == nil)
  }

  @Test("what a step leaves open follows from an input that was recovered further down")
  func jointSolve() throws {
    let steps = [Self.step("conv2", .subspace, rank: 3), Self.step("conv1", .stopped)]
    let reading = ChainReading(
      Self.chain(steps), network: Self.network, isObserved: true, recovered: [0])
    for name in ["norm1", "conv2", "norm2"] {
      let judgement = try #require(reading.judgement(try node(name)))
      #expect(judgement.leak == .exact && judgement.reason.contains("'conv1'"), "\(name)")
    }
  }

  @Test("what chance takes part in does not follow")
  func dropout() throws {
    let step = Self.step("conv1", .exact)
    #expect(reading(step, isTrainingMode: false).judgement(try node("conv2"))?.leak == .exact)
    #expect(reading(step, isTrainingMode: true).judgement(try node("conv2")) == nil)
    #expect(reading(step, isTrainingMode: true).judgement(try node("norm1"))?.leak == .exact)
  }

  @Test("layers that read the same map share its step")
  func sharedMap() throws {
    let nodes: [Network.Node] = [
      .init(name: "stem", layer: Self.convolution, sources: [.input(0)]),
      .init(name: "conv", layer: Self.convolution, sources: [.node(0)]),
      .init(name: "shortcut", layer: Self.convolution, sources: [.node(0)]),
    ]
    let network = Network("block", inputShapes: [[8, 8, 4]], nodes: nodes)
    let reading = ChainReading(
      Self.chain([Self.step("conv", .subspace, rank: 1)]), network: network, isObserved: true)
    #expect(reading.judgement(2)?.leak == .subspace)
    #expect(reading.judgement(0) == nil)
  }

  @Test("the deepest features are those of the last convolution that is determined")
  func features() throws {
    let both = reading(Self.step("fc", .exact), Self.step("conv2", .exact))
    #expect(both.deepestFeatures?.layer == "conv2" && both.deepestFeatures?.shape == "8×8×4")
    #expect(reading(Self.step("fc", .exact)).deepestFeatures == nil)
    let below = reading(Self.step("conv2", .exact), Self.step("conv1", .subspace))
    #expect(below.deepestFeatures?.layer == "conv2")
  }

  @Test("weights from which one gradient would determine the input are a finding of severity high")
  func structuralFinding() throws {
    var last = Self.step("conv1", .exact)
    last.unknowns = 192
    last.amplification = 12.345
    let steps = [Self.step("fc", .exact), Self.step("conv2", .exact), last]
    let reading = ChainReading(
      Self.chain(steps, reachesInput: true), network: Self.network, isObserved: false)
    let finding = try #require(reading.structuralFinding)
    #expect(finding.id == "cascade" && finding.severity == .high)
    #expect(finding.evidence == .structural)
    #expect(finding.artifact == "model.h5" && finding.layer == "conv1")
    // Nothing was recovered: the finding is about a gradient that somebody may see.
    #expect(finding.message.hasPrefix("The gradient of one sample determines the model input"))
    #expect(finding.measurements.map(\.value) == ["192", "12.3"])
  }

  @Test("a chain that ends before the input, or that had a gradient, is no structural finding")
  func noStructuralFinding() {
    let steps = [Self.step("fc", .exact), Self.step("conv2", .exact)]
    for (reachesInput, isObserved) in [(false, false), (true, true), (false, true)] {
      let reading = ChainReading(
        Self.chain(steps, reachesInput: reachesInput), network: Self.network,
        isObserved: isObserved)
      #expect(reading.structuralFinding == nil)
    }
    let empty = ChainReading(
      Self.chain([], reachesInput: true), network: Self.network, isObserved: false)
    #expect(empty.structuralFinding == nil)
  }
}
