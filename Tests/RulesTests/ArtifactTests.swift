import AuditModel
import Networks
import Rules
import Testing

@Suite("Optimiser state and unjudged layers")
struct ArtifactTests {
  private func findings(
    _ steps: Int?, _ slots: [OptimizerSummary.Slot], name: String = "adam"
  ) throws -> [Finding] {
    let optimizer = OptimizerSummary(
      name: name, steps: steps, slots: slots, tensorCount: 2 * slots.count)
    return try Subject("m", input: [8], optimizer: optimizer, ["fc": Dense(outputs: 2)])
      .findings(of: "optimizer-state")
  }

  @Test(
    "the more steps, the less a slot tells",
    arguments: [
      (1, Severity.high), (2, .medium), (5, .medium), (20, .medium), (21, .low), (209_049, .low),
    ] as [(Int?, Severity)] + [(nil, .medium)])
  func steps(steps: Int?, severity: Severity) throws {
    for slot in [OptimizerSummary.Slot.firstMoment, .momentum] {
      let found = try findings(steps, [slot])
      #expect(found.map(\.severity) == [severity])
      #expect(found.first?.layer == nil)
      let count = steps.map(String.init) ?? "unknown"
      #expect(found.first?.message.contains(count) == true)
      #expect(found.first?.message.contains(slot.rawValue) == true)
    }
  }

  @Test("one step of Adam is the gradient times (1 − β₁)")
  func oneStep() throws {
    let message = try #require(try findings(1, [.firstMoment, .secondMoment]).first).message
    #expect(message.contains("after 1 step ") && message.contains("exactly (1 − β₁)·g"))
  }

  @Test("slots before the first step are silent, unapplied gradients are not")
  func zeroSteps() throws {
    #expect(try findings(0, [.firstMoment, .secondMoment]).isEmpty)
    #expect(try findings(0, [.momentum]).isEmpty)
    #expect(try findings(0, [.accumulatedGradient]).map(\.severity) == [.medium])
  }

  @Test("squares are context and unknown slots are inconclusive")
  func otherSlots() throws {
    let squares = try findings(7, [.secondMoment], name: "rmsprop")
    #expect(squares.map(\.severity) == [.info] && squares.map(\.evidence) == [.structural])
    let unknown = try findings(7, [.other])
    #expect(unknown.map(\.severity) == [.info] && unknown.map(\.evidence) == [.inconclusive])
    #expect(try findings(7, []).isEmpty)
    #expect(try findings(7, [.other, .secondMoment]).map(\.evidence) == [.structural])
  }

  @Test("squares of one step disclose the size of every input")
  func squaresOfOneStep() throws {
    let found = try findings(1, [.secondMoment], name: "rmsprop")
    #expect(found.map(\.severity) == [.medium])
    #expect(found.first?.message.contains("|x|") == true)
    #expect(try findings(nil, [.secondMoment]).map(\.severity) == [.info])
  }

  @Test("code is worse than a class name, and neither is judged")
  func customLayers() throws {
    let subject = Subject(
      "m", input: [8],
      [
        "gate": CustomLayer(className: "Gate", carriesCode: false),
        "lambda": CustomLayer(className: "Lambda", carriesCode: true),
      ])
    let found = try subject.findings(of: "custom-layer")
    #expect(found.map(\.layer) == ["gate", "lambda"])
    #expect(found.map(\.severity) == [.medium, .high])
    #expect(found.allSatisfy { $0.evidence == .inconclusive })
  }

  @Test("a mismatch states what arrives and what is needed")
  func mismatch() throws {
    let subject = Subject(
      "m", input: [7, 7], ["flatten": Flatten(), "fc": Dense(outputs: 4, inputs: 50)])
    let message = try #require(try subject.findings(of: "shape-mismatch").first).message
    #expect(message.contains("receives 49") && message.contains("its weights take 50 features"))
  }

  @Test("an embedding behind a reshape still reads the input")
  func embedding() throws {
    let subject = Subject(
      "m", input: [4, 2],
      ["flat": Flatten(), "tokens": Embedding(tokens: 30, width: 5), "norm": Pooling(.average)])
    let found = try subject.findings(of: "embedding-first")
    #expect(found.map(\.layer) == ["tokens"])
    #expect(found.first?.message.contains("30 tokens, 5 values each") == true)
  }

  @Test("a guessed normalisation behind a dense layer on the input counts more")
  func guessedNormalization() throws {
    for (origin, severity) in [(Network.Origin.declared, Severity.low), (.inferred, .medium)] {
      let subject = Subject(
        inputs: [[8]], origin: origin,
        [
          node("fc", Dense(outputs: 4), .input(0)), node("norm", BatchNormalization(), .node(0)),
          node("head", Dense(outputs: 4), .node(1)), node("last", BatchNormalization(), .node(2)),
        ])
      let found = try subject.findings(of: "batch-normalization-behind-dense")
      #expect(found.map(\.layer) == ["fc", "head"])
      #expect(found.map(\.severity) == [severity, .low])
    }
  }
}
