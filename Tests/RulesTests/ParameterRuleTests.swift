import AuditModel
import Networks
import Rules
import Tensors
import Testing

@Suite("Rules about weights")
struct ParameterRuleTests {
  /// A perceptron 64-32-10 with these hidden weights and biases.
  private func perceptron(
    _ weights: [Double], _ bias: [Double], settings: RuleSettings = RuleSettings(),
    convention: ParameterTable.Convention = .channelsFirst
  ) -> Subject {
    let network = Network(
      "perceptron", input: [64],
      ["hidden": Dense(outputs: 32), "relu": Activation(.relu), "logits": Dense(outputs: 10)])
    var table = ParameterTable(convention: convention)
    var random = SplitMix64(seed: 3)
    let transposed = (0..<64).flatMap { column in (0..<32).map { weights[$0 * 64 + column] } }
    table[0, .weight] =
      convention == .channelsFirst
      ? Tensor(weights, shape: [32, 64]) : Tensor(transposed, shape: [64, 32])
    table[0, .bias] = Tensor(bias, shape: [32])
    let head = (0..<320).map { _ in random.uniform(-0.1, 0.1) }
    table[2, .weight] = Tensor(head, shape: convention == .channelsFirst ? [10, 32] : [32, 10])
    table[2, .bias] = Tensor((0..<10).map { _ in 0 }, shape: [10])
    return Subject(
      artifact: "model", network: network, parameters: table, settings: settings)
  }

  private func drawn(_ count: Int) -> [Double] {
    var random = SplitMix64(seed: 5)
    return (0..<count).map { _ in random.uniform(-0.125, 0.125) }
  }

  private let ladder = (0..<32).map { -Double($0) / 32 }

  @Test(
    "a ladder is found in both orders of axes, with rows up to 2 % off the direction",
    arguments: [0, 0.01, 0.02])
  func ladder(noise: Double) throws {
    var random = SplitMix64(seed: 8)
    let weights = (0..<32 * 64).map { _ in 1 + noise * random.normal() }
    for convention in [ParameterTable.Convention.channelsFirst, .channelsLast] {
      let found = try perceptron(weights, ladder, convention: convention)
        .findings(of: "imprint-rows")
      #expect(found.map(\.layer) == ["hidden"])
      #expect(found.first?.message.contains("32 of 32 rows") == true)
    }
  }

  @Test("rows a fifth off the direction are no ladder")
  func noLadder() throws {
    var random = SplitMix64(seed: 8)
    let weights = (0..<32 * 64).map { _ in 1 + 0.2 * random.normal() }
    #expect(try perceptron(weights, ladder).findings(of: "imprint-rows").isEmpty)
  }

  @Test("the spacing of a ladder is named")
  func spacing() throws {
    let weights = Array(repeating: 1.0, count: 32 * 64)
    let even = try perceptron(weights, ladder).findings(of: "imprint-rows")
    #expect(even.first?.message.contains("spaced like uniform quantiles") == true)
  }

  @Test("a ladder is not reported a second time as repeated rows")
  func noSecondAlarm() throws {
    let weights = Array(repeating: 1.0, count: 32 * 64)
    #expect(try perceptron(weights, ladder).findings(of: "duplicate-rows").isEmpty)
    let equal = perceptron(weights, Array(repeating: 0, count: 32))
    #expect(try equal.findings(of: "duplicate-rows").map(\.layer) == ["hidden"])
    #expect(try equal.findings(of: "imprint-rows").isEmpty)
  }

  @Test("settings move a threshold, and disable a rule")
  func settings() throws {
    let weights = Array(repeating: 1.0, count: 32 * 64)
    let strict = RuleSettings(thresholds: ["imprint-rows": ["rows": 33]])
    #expect(try perceptron(weights, ladder, settings: strict).findings(of: "imprint-rows").isEmpty)
    let all = RuleCatalog.findings(in: perceptron(weights, ladder)).map(\.id)
    let disabled = RuleCatalog.findings(
      in: perceptron(weights, ladder, settings: RuleSettings(disabled: ["imprint-rows"]))
    ).map(\.id)
    #expect(all.contains("imprint-rows"))
    #expect(disabled == all.filter { $0 != "imprint-rows" })
  }

  @Test("findings and statistics do not depend on how many rules run at a time")
  func jobs() {
    let subject = perceptron(drawn(32 * 64), ladder)
    let alone = RuleCatalog.findings(in: subject, jobs: 1)
    for jobs in [2, 3, 64] {
      let fresh = perceptron(drawn(32 * 64), ladder)
      #expect(RuleCatalog.findings(in: fresh, jobs: jobs) == alone)
      #expect(
        RuleCatalog.statistics(in: fresh, jobs: jobs).map(\.value)
          == RuleCatalog.statistics(in: subject).map(\.value))
    }
  }

  @Test("weights that are not numbers are passed over")
  func notFinite() throws {
    var weights = Array(repeating: 1.0, count: 32 * 64)
    weights[7] = .nan
    let subject = perceptron(weights, ladder)
    for rule in RuleCatalog.all where rule.metadata.concern == .manipulation {
      #expect(rule.init().findings(in: subject).isEmpty, "\(rule.metadata.identifier)")
    }
  }

  @Test("every threshold is used by name once, and explained")
  func thresholds() {
    for rule in RuleCatalog.all {
      let names = rule.metadata.thresholds.map(\.name)
      #expect(Set(names).count == names.count)
      for threshold in rule.metadata.thresholds {
        #expect(threshold.name.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil)
        #expect(threshold.standard.isFinite && threshold.meaning.count > 10)
      }
    }
  }
}
