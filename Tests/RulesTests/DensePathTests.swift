import AuditModel
import Networks
import Rules
import Testing

@Suite("Dense layers up to the output")
struct DensePathTests {
  @Test("a path that starts with a bias is reported without a second alarm")
  func noSecondAlarm() throws {
    for (hasBias, severity) in [(true, Severity.info), (false, .medium)] {
      let subject = Subject(
        "m", input: [8],
        [
          "a": Dense(outputs: 4, hasBias: hasBias), "tanh": Activation(.tanh),
          "b": Dense(outputs: 2),
        ])
      let findings = try subject.findings(of: "dense-only-path")
      #expect(findings.map(\.severity) == [severity])
      #expect(findings.first?.message.contains("2 dense layers") == true)
    }
  }

  @Test(
    "a layer that mixes elements ends the path",
    arguments: [
      BatchNormalization() as any Layer, Activation(.softmax), Activation(.unknown("mystery")),
      Normalization(.layer(axes: [-1])),
    ])
  func mixing(layer: any Layer) throws {
    let subject = Subject(
      "m", input: [8], ["a": Dense(outputs: 4), "middle": layer, "b": Dense(outputs: 2)])
    #expect(try subject.findings(of: "dense-only-path").isEmpty)
  }

  @Test(
    "an activation whose output hides its slope needs a bias in front", arguments: [true, false])
  func hiddenSlope(hasBias: Bool) throws {
    let subject = Subject(
      "m", input: [8],
      ["a": Dense(outputs: 4, hasBias: hasBias), "silu": Activation(.silu), "b": Dense(outputs: 2)])
    #expect(try subject.findings(of: "dense-only-path").isEmpty == !hasBias)
  }

  @Test("dropout on the path is a precondition, not an end")
  func dropout() throws {
    let subject = Subject(
      "m", input: [8],
      ["drop": Dropout(rate: 0.2), "a": Dense(outputs: 4), "b": Dense(outputs: 2)])
    let finding = try #require(try subject.findings(of: "dense-only-path").first)
    #expect(finding.preconditions.contains { $0.contains("'drop'") })
  }

  @Test("a merge or a branch ends the path")
  func branches() throws {
    let residual = Subject(
      inputs: [[8]],
      [
        node("a", Dense(outputs: 8), .input(0)),
        node("sum", Merge(.add), .input(0), .node(0)),
        node("b", Dense(outputs: 2), .node(1)),
      ])
    let twoHeads = Subject(
      inputs: [[8]],
      [
        node("a", Dense(outputs: 8), .input(0)), node("b", Dense(outputs: 2), .node(0)),
        node("c", Dense(outputs: 3), .node(0)),
      ])
    #expect(try residual.findings(of: "dense-only-path").isEmpty)
    #expect(try twoHeads.findings(of: "dense-only-path").isEmpty)
  }

  @Test("a layer shared by positions ends the path")
  func positions() throws {
    let subject = Subject(
      "m", input: [5, 8], ["a": Dense(outputs: 4), "flat": Flatten(), "b": Dense(outputs: 2)])
    #expect(try subject.findings(of: "dense-only-path").isEmpty)
  }

  @Test("a layer that something else reads as well is no classifier")
  func secondReader() throws {
    let subject = Subject(
      inputs: [[8]],
      [
        node("a", Dense(outputs: 4), .input(0)), node("soft", Activation(.softmax), .node(0)),
        node("b", Dense(outputs: 2, hasBias: false), .node(0)),
      ])
    #expect(try subject.findings(of: "classifier-bias").isEmpty)
  }

  @Test("logistic regression is a classifier with a bias, and no path")
  func logisticRegression() {
    let subject = Subject(
      "m", input: [784], ["logits": Dense(outputs: 10), "softmax": Activation(.softmax)])
    #expect(
      RuleCatalog.findings(in: subject).map(\.id)
        == ["classifier-bias", "input-facing-biased-dense"])
  }

  @Test(
    "a regression loss tells no class",
    arguments: ["mse", "mean_squared_error", "MeanAbsoluteError", "huber"])
  func regression(loss: String) throws {
    let nodes = [node("out", Dense(outputs: 3), .input(0))]
    #expect(try Subject(inputs: [[4]], loss: loss, nodes).findings(of: "classifier-bias").isEmpty)
  }

  @Test(
    "a classification loss, or none, tells classes",
    arguments: ["sparse_categorical_crossentropy", "BinaryCrossentropy", nil])
  func classification(loss: String?) throws {
    let nodes = [node("out", Dense(outputs: 3), .input(0))]
    let findings = try Subject(inputs: [[4]], loss: loss, nodes).findings(of: "classifier-bias")
    #expect(findings.map(\.layer) == ["out"])
  }

  @Test("one unit discloses its label by sign, several by their negative entries")
  func units() throws {
    for (outputs, function, words) in [
      (1, ActivationFunction.sigmoid, "its sign"), (3, .sigmoid, "negative entries are"),
      (3, .softmax, "only negative entry"),
    ] {
      let subject = Subject(
        "m", input: [4], ["out": Dense(outputs: outputs), "end": Activation(function)])
      let finding = try #require(try subject.findings(of: "classifier-bias").first)
      #expect(finding.message.contains(words))
    }
  }

  @Test("every head of a model is a classifier")
  func heads() throws {
    let subject = Subject(
      inputs: [[8]],
      [
        node("map", Activation(.relu), .input(0)), node("b", Dense(outputs: 2), .node(0)),
        node("c", Dense(outputs: 3), .node(0)), node("soft", Activation(.softmax), .node(2)),
      ])
    #expect(try subject.findings(of: "classifier-bias").map(\.layer) == ["b", "c"])
  }

  @Test(
    "the exposed batch is the logarithm of the width",
    arguments: [(256, "8"), (512, "9"), (1000, "9"), (1024, "10")])
  func width(outputs: Int, batch: String) throws {
    let subject = Subject(
      "m", input: [784], ["fc": Dense(outputs: outputs), "relu": Activation(.relu)])
    let finding = try #require(try subject.findings(of: "wide-dense-for-batches").first)
    #expect(finding.measurements.contains(.init("exposed batch size", batch)))
    #expect(finding.message.contains("no fewer units than inputs") == (outputs >= 784))
  }

  @Test("a width of 255 units below the input size is not called wide")
  func narrow() throws {
    let subject = Subject(
      "m", input: [784], ["fc": Dense(outputs: 255), "relu": Activation(.relu)])
    #expect(try subject.findings(of: "wide-dense-for-batches").isEmpty)
  }
}
