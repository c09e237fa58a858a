import Attacks
import AuditModel
import Auditing
import Checkpoints
import Networks
import Testing

@Suite("Layer table")
struct LayerTableTests {
  private let network = ChainReadingTests.network

  private func rows(
    _ chains: [(steps: [ChainSummary.Step], isObserved: Bool)], _ knowledge: Knowledge? = nil
  ) -> [String: LayerSummary] {
    let table = ParameterTable(convention: .channelsLast)
    let observation = Observation(
      network: network, weights: table, gradient: table, source: .gradient,
      sourceName: "gradient (g.h5)", sign: 1, batchSize: 1, reduction: .mean, steps: 1,
      rounding: [:])
    let rows = LayerTable(
      model: BoundModel(network, weights: table), artifact: "m.h5",
      results: knowledge.map { [(observation, $0)] } ?? [],
      chains: chains.map { chain in
        ChainReading(
          ChainReadingTests.chain(chain.steps), network: network, isObserved: chain.isObserved)
      }
    ).rows
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0) })
  }

  private func step(
    _ layer: String, _ outcome: ChainSummary.Outcome = .exact
  ) -> ChainSummary.Step { ChainReadingTests.step(layer, outcome) }

  @Test("what no chain reached is not analysed, and the reason says where the chain ends")
  func notReached() throws {
    let rows = rows([([step("fc"), step("conv2")], true)], Knowledge())
    #expect(rows["conv2"]?.leak == .exact && rows["norm2"]?.leak == .exact)
    for name in ["conv1", "norm1"] {
      let row = try #require(rows[name])
      #expect(row.leak == .notAnalysed && row.reason.contains("ends at 'conv2'"), "\(row.reason)")
    }
  }

  @Test("a layer without parameters has no gradient of its own, whatever a chain says")
  func withoutParameters() {
    let rows = rows([([step("act1"), step("conv1")], true)], Knowledge())
    for name in ["act1", "drop", "flat"] { #expect(rows[name]?.leak == LayerLeak.none) }
    #expect(rows["norm2"]?.leak == .exact)
  }

  @Test("a verdict outweighs a chain, and a recovery both")
  func precedence() throws {
    let conv2 = try #require(network.nodes.firstIndex { $0.name == "conv2" })
    var knowledge = Knowledge()
    knowledge.verdicts[conv2] = .init(.partial, condition: "kept entries", reason: "own words")
    let chains = [([step("conv2")], true)]
    #expect(rows(chains, knowledge)["conv2"]?.reason == "own words")
    knowledge.recoveries[conv2] = Knowledge.Recovery(
      node: conv2, samples: [[1]], labels: [nil], certificates: [1e-9], scope: "all",
      isProven: true, predictedError: 0, method: "cascade")
    #expect(rows(chains, knowledge)["conv2"]?.reason == "recovered and proven, certificate 1e-9")
  }

  @Test("where the gradient stopped, what the weights alone show is said instead")
  func weightsAlone() {
    let rows = rows(
      [([step("conv2", .stopped)], true), ([step("conv2"), step("conv1")], false)], Knowledge())
    #expect(rows["conv2"]?.leak == .exact)
    #expect(rows["conv1"]?.condition == "if the gradient of one sample is seen")
  }

  @Test("a walk without a gradient that stops takes nothing from the theorem of dense layers")
  func dense() {
    let rows = rows([([step("fc", .stopped)], false)])
    #expect(rows["fc"]?.leak == .exact && rows["fc"]?.reason.contains("W̄ᵀb̄") == true)
    #expect(rows["conv2"]?.leak == .notAnalysed)
  }
}
