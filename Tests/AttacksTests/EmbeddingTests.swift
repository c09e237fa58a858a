import Attacks
import AuditModel
import Networks
import Tensors
import Testing

@Suite("Embedding tokens")
struct EmbeddingTests {
  private func knowledge(rows: [[Double]]) -> Knowledge {
    var gradient = ParameterTable(convention: .channelsLast)
    gradient[0, .embeddings] = Tensor(
      rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
    return AttackCatalog.run(
      on: Observation(
        network: Network(
          "text", input: [7], ["tokens": Embedding(tokens: rows.count, width: rows[0].count)]),
        weights: ParameterTable(convention: .channelsLast), gradient: gradient, source: .gradient,
        sourceName: "gradient", sign: 1, batchSize: nil, reduction: nil, steps: nil, rounding: [:]))
  }

  @Test("the tokens are the rows with a gradient, however small", arguments: [1, 1e-30, 1e-200])
  func tokens(size: Double) {
    var rows = [[Double]](repeating: [0, 0, 0], count: 50)
    for token in [3, 17, 49] { rows[token] = [0, size, -size] }
    let verdict = knowledge(rows: rows).verdicts[0]
    #expect(verdict?.leak == .partial)
    #expect(verdict?.measurements == [Finding.Measurement("tokens", "3, 17, 49")])
    #expect(verdict?.reason.contains("the 3 tokens") == true)
  }

  @Test("many tokens are counted, and the first 64 shown")
  func manyTokens() {
    let rows = (0..<200).map { $0 < 150 ? [1.0, 2] : [0, 0] }
    let shown = knowledge(rows: rows).verdicts[0]?.measurements.first?.value
    #expect(shown?.hasPrefix("0, 1, 2") == true && shown?.hasSuffix("63, …") == true)
  }

  @Test("a dense or silent table gradient tells no tokens")
  func inconclusive() {
    for value in [0.0, 1] {
      let found = knowledge(rows: [[Double]](repeating: [value, value], count: 20))
      #expect(found.verdicts[0]?.leak == .inconclusive && found.recoveries.isEmpty)
    }
  }
}
