import Checkpoints
import Testing

@Suite("Facts about an exchange")
struct ExchangeFactsTests {
  private func facts(_ attributes: [String: Container.Attribute]) -> ExchangeFacts {
    ExchangeFacts(attributesOf: "", in: Container(attributes: ["": attributes]))
  }

  private func number(_ value: Double) -> Container.Attribute { .numbers([value], isScalar: true) }
  private func text(_ value: String) -> Container.Attribute { .text([value], isScalar: true) }

  @Test("what the file states is read")
  func stated() {
    let facts = facts([
      "batch_size": number(4), "local_steps": number(3), "lr": number(0.1),
      "reduction": text("sum"),
      "loss": text("mse"), "label_smoothing": number(0.1), "training_mode": number(0),
    ])
    #expect(facts.batchSize == 4 && facts.localSteps == 3 && facts.learningRate == 0.1)
    #expect(facts.reduction == "sum" && facts.loss == "mse" && facts.labelSmoothing == 0.1)
    #expect(facts.isTrainingMode == false && facts.problems.isEmpty)
  }

  @Test("what the file does not state stays unknown")
  func unstated() { #expect(facts([:]) == ExchangeFacts()) }

  @Test(
    "nonsense is a problem, not a guess",
    arguments: [
      ("batch_size", .numbers([-1], isScalar: true)), ("batch_size", .numbers([0], isScalar: true)),
      ("batch_size", .numbers([1.5], isScalar: true)),
      ("batch_size", .numbers([.nan], isScalar: true)),
      ("batch_size", .numbers([1e300], isScalar: true)),
      ("batch_size", .numbers([1, 2], isScalar: false)),
      ("batch_size", .numbers([], isScalar: false)),
      ("batch_size", .text(["four"], isScalar: true)),
      ("batch_size", .text([], isScalar: false)), ("local_steps", .unsupported("references")),
      ("local_steps", .numbers([0x1p25], isScalar: true)),
      ("learning_rate", .numbers([0], isScalar: true)),
      ("learning_rate", .numbers([.infinity], isScalar: true)),
      ("reduction", .text(["max"], isScalar: true)),
      ("label_smoothing", .numbers([1], isScalar: true)),
      ("label_smoothing", .numbers([-0.1], isScalar: true)),
      ("label_smoothing", .numbers([.nan], isScalar: true)),
    ] as [(String, Container.Attribute)])
  func nonsense(name: String, value: Container.Attribute) {
    let found = facts([name: value])
    #expect(found.problems.count == 1 && found.problems[0].hasPrefix("attribute '\(name)' is "))
    var rest = found
    rest.problems = []
    #expect(rest == ExchangeFacts())
  }

  @Test("a long value is quoted in part")
  func longValues() {
    let found = facts(["batch_size": text(String(repeating: "x", count: 1_000))])
    #expect(found.problems.first.map { $0.count < 120 } == true)
  }

  @Test("an inner group completes itself by the whole file, and wins")
  func completion() {
    let outer = facts([
      "batch_size": number(4), "reduction": text("mean"), "loss": text("a"),
      "local_steps": number(1),
      "lr": number(1), "label_smoothing": number(0), "training_mode": number(1), "x": number(0),
    ])
    let inner = facts(["batch_size": number(1), "reduction": text("max")]).completed(by: outer)
    #expect(inner.batchSize == 1 && inner.reduction == "mean" && inner.loss == "a")
    #expect(inner.localSteps == 1 && inner.learningRate == 1 && inner.labelSmoothing == 0)
    #expect(inner.isTrainingMode == true && inner.problems == ["attribute 'reduction' is max"])
  }
}
