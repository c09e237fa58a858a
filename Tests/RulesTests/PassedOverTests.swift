import AuditModel
import Networks
import Rules
import Tensors
import Testing

@Suite("Parameters that rules pass over")
struct PassedOverTests {
  private let network = Network(
    "stack", input: [8, 8, 3],
    [
      "conv": Convolution(filters: 4, kernel: [3, 3]), "norm": BatchNormalization(),
      "relu": Activation(.relu), "flat": Flatten(), "logits": Dense(outputs: 10),
    ])

  private func subject(
    _ node: Int, _ role: ParameterRole, _ value: Double, every step: Int = 1
  ) throws -> Subject {
    var table = try network.initialParameters(.pyTorch, seed: 1)
    let old = try #require(table[node, role])
    var elements = old.elements()
    for place in stride(from: 0, to: elements.count, by: step) { elements[place] = value }
    table[node, role] = Tensor(elements, shape: old.shape)
    return Subject(artifact: "model", network: network, parameters: table)
  }

  @Test(
    "weights, biases and running statistics that are no numbers are listed, down to a single one",
    arguments: [
      (0, ParameterRole.weight, 108), (0, .bias, 4), (1, .scale, 4), (1, .shift, 4),
      (1, .runningMean, 4), (1, .runningVariance, 4), (4, .weight, 1_440), (4, .bias, 10),
    ])
  func listed(node: Int, role: ParameterRole, count: Int) throws {
    for value in [Double.nan, .infinity, -.infinity] {
      let one = PassedOver.all(in: try subject(node, role, value, every: count))
      #expect(one.map(\.node) == [node] && one.map(\.role) == [role])
      #expect(one.first?.reason.contains("1 of its \(count) values") == true)
      #expect(one.first?.layer == network.nodes[node].name)
      let all = PassedOver.all(in: try subject(node, role, value))
      #expect(all.first?.reason.contains("\(count) of its \(count) values") == true)
    }
  }

  @Test("numbers are judged, zeros and large ones too; those beyond all powers are not")
  func numbers() throws {
    for value in [0, 1e9, -1e70] {
      #expect(PassedOver.all(in: try subject(0, .weight, value)).isEmpty)
    }
    let huge = PassedOver.all(in: try subject(0, .weight, 1e100))
    #expect(huge.count == 1 && huge.first?.reason.contains("too large") == true)
    #expect(PassedOver.all(in: Subject(artifact: "model", network: network)).isEmpty)
  }

  @Test("what is passed over and what a rule finds exclude each other")
  func noFinding() throws {
    let spoiled = RuleCatalog.findings(
      in: try subject(0, .weight, .nan, every: 108), about: .manipulation)
    #expect(spoiled.isEmpty)
    let scaled = RuleCatalog.findings(in: try subject(0, .weight, 1e9), about: .manipulation)
    #expect(scaled.contains { $0.layer == "conv" })
  }

  @Test("a classifier with more rows than are assigned is listed, one with as many is not")
  func unassigned() throws {
    for (classes, count) in [(4_096, 0), (4_097, 1)] {
      let network = Network("head", input: [2], ["logits": Dense(outputs: classes)])
      let table = try network.initialParameters(.pyTorch, seed: 1)
      let subject = Subject(
        artifact: "model", network: network, parameters: table,
        reference: Reference(artifact: "kept", network: network, parameters: table))
      #expect(
        PassedOver.unassigned(in: subject).map(\.layer) == .init(repeating: "logits", count: count))
    }
  }
}
