import AuditModel
import Networks
import Rules
import Testing

@Suite("Dense layers on the input")
struct InputFacingDenseTests {
  private let biased = "input-facing-biased-dense"
  private let unbiased = "input-facing-unbiased-dense"

  @Test("a finding tells the checkpoint from its gradient", arguments: [false, true])
  func checkpointAlone(hasGradient: Bool) throws {
    var subject = Subject("logistic", input: [784], ["logits": Dense(outputs: 10)])
    subject.hasGradient = hasGradient
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.message.contains("The checkpoint alone discloses no input"))
    #expect(finding.message.contains("784") && finding.message.contains("10 units"))
    #expect(finding.message.contains("given one") == hasGradient)
    #expect(finding.severity == .high && finding.evidence == .structural)
    #expect(finding.formula == "x = W̄ᵀb̄ / ‖b̄‖²")
  }

  @Test("a file with optimiser state is not called harmless")
  func optimizerState() throws {
    let state = OptimizerSummary(name: "adam", steps: 1, slots: [.firstMoment], tensorCount: 2)
    let subject = Subject("m", input: [8], optimizer: state, ["fc": Dense(outputs: 2)])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.message.contains("The weights alone disclose no input"))
    #expect(finding.message.contains("this file carries optimiser state"))
  }

  @Test("an inferred network is flagged under a stated condition")
  func inferred() throws {
    let subject = Subject(
      inputs: [], origin: .inferred, [node("fc", Dense(outputs: 4, inputs: 9), .input(0))])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.message.hasPrefix("If nothing but reshaping lies in front of it, the gradient"))
    #expect(finding.message.contains("9 input values"))
    #expect(finding.preconditions.contains { $0.hasPrefix("Nothing but reshaping lies in front") })
  }

  @Test("a declared network needs no such condition")
  func declared() throws {
    let finding = try #require(
      try Subject("m", input: [9], ["fc": Dense(outputs: 4)]).findings(of: biased).first)
    #expect(finding.message.hasPrefix("The gradient"))
    #expect(!finding.preconditions.contains { $0.contains("reshaping") })
  }

  @Test("a missing input shape becomes a precondition, not silence")
  func missingShape() throws {
    let subject = Subject(inputs: [], [node("fc", Dense(outputs: 4), .input(0))])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.message.contains("every input value"))
    #expect(finding.preconditions.contains("Every sample passes 'fc' once, as a vector."))
  }

  @Test("dropout on the way is named as a precondition", arguments: [0.0, 0.5])
  func dropout(rate: Double) throws {
    let subject = Subject(
      "m", input: [9], ["drop": Dropout(rate: rate), "fc": Dense(outputs: 4)])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.preconditions.contains { $0.contains("'drop'") } == (rate > 0))
  }

  @Test("the path of a nested model is followed")
  func nested() throws {
    let subject = Subject(
      "m", input: [4, 4, 1],
      [
        "outer/rescaling": Rescaling(scale: 1 / 255, offset: 0), "outer/flatten": Flatten(),
        "outer/inner/reshape": Reshape(target: [16]), "outer/inner/fc": Dense(outputs: 4),
        "outer/inner/relu": Activation(.relu), "head": Dense(outputs: 2),
      ])
    #expect(try subject.findings(of: biased).map(\.layer) == ["outer/inner/fc"])
  }

  @Test(
    "a layer that computes on the input silences both rules",
    arguments: [
      Convolution(filters: 4, kernel: [3, 3]) as any Layer, Activation(.relu), Activation(.softmax),
      BatchNormalization(), Pooling(.maximum, window: [2, 2]), Rescaling(scale: 0, offset: 1),
      CustomLayer(className: "Gate", carriesCode: false),
    ])
  func computed(layer: any Layer) throws {
    for (rule, hasBias) in [(biased, true), (unbiased, false)] {
      let subject = Subject(
        "m", input: [8, 8, 1],
        ["front": layer, "flatten": Flatten(), "fc": Dense(outputs: 4, hasBias: hasBias)])
      #expect(try subject.findings(of: rule).isEmpty)
    }
  }

  @Test("a bias decides which of the two rules speaks", arguments: [true, false])
  func bias(hasBias: Bool) throws {
    let subject = Subject("m", input: [8], ["fc": Dense(outputs: 4, hasBias: hasBias)])
    #expect(try subject.findings(of: biased).isEmpty == !hasBias)
    #expect(try subject.findings(of: unbiased).isEmpty == hasBias)
  }

  @Test("a layer shared by 28 positions is judged as a batch of 28")
  func positions() throws {
    let subject = Subject("m", input: [28, 27], ["fc": Dense(outputs: 4)])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.severity == .medium)
    #expect(finding.message.contains("28 positions") && finding.message.contains("all 27 input"))
  }

  @Test("every dense layer on the input is flagged, in node order")
  func severalLayers() throws {
    let subject = Subject(
      inputs: [[8], [3]],
      [
        node("z", Dense(outputs: 4), .input(0)), node("a", Dense(outputs: 4), .input(1)),
        node("sum", Merge(.add), .node(0), .node(1)),
        node("logits", Dense(outputs: 2), .node(2)),
      ])
    #expect(try subject.findings(of: biased).map(\.layer) == ["z", "a"])
  }

  @Test("a sum in front silences the rule, a concatenation does not")
  func merges() throws {
    let cases: [(Merge.Operation, [String])] = [
      (.add, []), (.multiply, []), (.concatenate(axis: -1), ["fc"]),
    ]
    for (operation, expected) in cases {
      let subject = Subject(
        inputs: [[8], [8]],
        [
          node("merge", Merge(operation), .input(0), .input(1)),
          node("fc", Dense(outputs: 4), .node(0)),
        ])
      #expect(try subject.findings(of: biased).map(\.layer) == expected, "\(operation)")
    }
  }

  @Test("an input concatenated to late features is found behind a convolution")
  func lateConcatenation() throws {
    let subject = Subject(
      inputs: [[4, 4, 1]],
      [
        node("map", Convolution(filters: 2, kernel: [3, 3]), .input(0)),
        node("features", Flatten(), .node(0)), node("pixels", Flatten(), .input(0)),
        node("both", Merge(.concatenate(axis: -1)), .node(1), .node(2)),
        node("logits", Dense(outputs: 3), .node(3)),
      ])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.layer == "logits")
    #expect(finding.message.contains("all 24 input values, the model input among them,"))
  }

  @Test("a batch normalisation behind lowers the severity and is a condition")
  func normalisation() throws {
    let subject = Subject(
      "m", input: [8],
      ["fc": Dense(outputs: 4), "same": Activation(.linear), "norm": BatchNormalization()])
    let finding = try #require(try subject.findings(of: biased).first)
    #expect(finding.severity == .medium)
    #expect(finding.preconditions.contains { $0.hasPrefix("'norm' normalises by its running") })
    #expect(try subject.findings(of: "batch-normalization-behind-dense").map(\.layer) == ["fc"])
  }

  @Test("a second reader beside the normalisation brings the rule back")
  func secondReader() throws {
    let subject = Subject(
      inputs: [[8]],
      [
        node("fc", Dense(outputs: 4), .input(0)), node("norm", BatchNormalization(), .node(0)),
        node("tanh", Activation(.tanh), .node(0)),
      ])
    #expect(try subject.findings(of: biased).map(\.layer) == ["fc"])
    #expect(try subject.findings(of: "batch-normalization-behind-dense").isEmpty)
  }

  @Test("a layer its input does not fit is not judged")
  func mismatch() throws {
    let subject = Subject("m", input: [7], ["fc": Dense(outputs: 4, inputs: 8)])
    #expect(try subject.findings(of: biased).isEmpty)
    #expect(try subject.findings(of: "shape-mismatch").map(\.layer) == ["fc"])
  }
}
