import AuditModel
import Networks
import Rules
import Tensors
import Testing

@Suite("Rules about a reference")
struct ComparisonRuleTests {
  private let network = Network("head", input: [16], ["logits": Dense(outputs: 12)])

  private func rows(_ seed: UInt64) -> [[Double]] {
    var random = SplitMix64(seed: seed)
    return (0..<12).map { _ in (0..<16).map { _ in random.normal() } }
  }

  private func subject(_ rows: [[Double]], against kept: [[Double]]) -> Subject {
    func table(_ rows: [[Double]]) -> ParameterTable {
      var table = ParameterTable(convention: .channelsFirst)
      table[0, .weight] = Tensor(rows.flatMap { $0 }, shape: [12, 16])
      return table
    }
    return Subject(
      artifact: "model", network: network, parameters: table(rows),
      reference: Reference(artifact: "kept", network: network, parameters: table(kept)))
  }

  @Test("exchanged pairs and longer cycles are named", arguments: [0, 0.1])
  func cycles(noise: Double) throws {
    let kept = rows(1)
    var random = SplitMix64(seed: 2)
    // 0 ↔ 5; 2 → 7 → 9.
    let order = [5, 1, 7, 3, 4, 0, 6, 9, 8, 2, 10, 11]
    let moved = order.map { kept[$0].map { $0 + noise * random.normal() } }
    let found = try subject(moved, against: kept).findings(of: "permuted-classifier-rows")
    #expect(found.count == 1)
    #expect(found.first?.message.contains("classes 0 and 5; 2 → 7 → 9.") == true)
    #expect(found.first?.message.contains("kept") == true)
    #expect(try subject(moved, against: kept).findings(of: "replaced-weights").isEmpty)
  }

  @Test("rows drawn anew are replaced, not permuted")
  func replaced() throws {
    let subject = subject(rows(3), against: rows(4))
    #expect(try subject.findings(of: "permuted-classifier-rows").isEmpty)
    #expect(try subject.findings(of: "replaced-weights").map(\.layer) == ["logits"])
  }

  @Test("drift is relative to the reference")
  func drift() throws {
    let kept = rows(5)
    let doubled = kept.map { $0.map { 2 * $0 } }
    let drift = try #require(Drift.all(in: subject(doubled, against: kept)).first)
    #expect(abs(drift.distance - 1) < 1e-12 && abs(drift.cosine - 1) < 1e-12)
    #expect(drift.layer == "logits" && drift.role == .weight)
    #expect(Drift.all(in: subject(kept, against: kept)).first?.distance == 0)
  }

  @Test("the same layers under one name are no change of the architecture")
  func sameArchitecture() throws {
    #expect(
      try subject(rows(6), against: rows(7)).findings(of: "changed-architecture").isEmpty)
  }
}
