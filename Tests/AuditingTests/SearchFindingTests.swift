import AuditModel
import Networks
import Tensors
import Testing

@testable import Attacks
@testable import Auditing

/// A search that ends near the observed gradient, and is no recovery.
@Suite("Findings of searches")
struct SearchFindingTests {
  private static let observation = Observation(
    network: Network("net", input: [4], ["fc": Dense(outputs: 3)]),
    weights: ParameterTable(convention: .channelsFirst),
    gradient: ParameterTable(convention: .channelsFirst), source: .gradient,
    sourceName: "gradient (g.h5)", sign: 1, batchSize: 1, reduction: .mean, steps: 1,
    rounding: [:])

  private static func knowledge(_ matches: [Double]) -> Knowledge {
    var knowledge = Knowledge()
    knowledge.inversions = matches.map { match in
      .init(
        summary: InversionSummary(
          artifact: "", source: observation.sourceName, attack: .auto, start: "", settings: [],
          samples: 1, restarts: [], iterations: 1, objective: 0, gradientMatch: match, curve: [],
          stop: "", spread: nil),
        samples: [[0.1, 0.2, 0.3, 0.4]], labels: [1])
    }
    return knowledge
  }

  private static func finding(_ knowledge: Knowledge) -> Finding? {
    KnowledgeFindings(knowledge: knowledge, observation: observation, artifact: "g.h5").all.first
  }

  @Test("the nearest of the searches is named, and nothing is claimed of its input")
  func near() throws {
    let finding = try #require(Self.finding(Self.knowledge([0.4, 0.027, 0.06])))
    #expect(finding.id == "gradient-matching" && finding.evidence == .inconclusive)
    #expect(finding.message.contains("misses the observed gradient (g.h5) by 0.027 of its norm."))
    #expect(finding.recoverability == .unknown)
    let verdict = Verdict(
      findings: [finding], recoveries: [], chains: [], labels: [], layers: [], failOn: .high,
      hasSubject: true, isIncomplete: false)
    #expect(verdict.sentence.hasPrefix("No input was recovered, but a search came near"))
    #expect(verdict.attackerGets.contains { $0.hasPrefix("A guess") })
    #expect(verdict.status == .clean)
  }

  @Test("a search that ended far off says nothing, and none where the input was recovered")
  func silent() {
    #expect(Self.finding(Self.knowledge([0.2])) == nil)
    var recovered = Self.knowledge([0.01])
    recovered.recoveries[0] = Knowledge.Recovery(
      node: 0, samples: [[1, 2, 3, 4]], labels: [1], certificates: [1e-8], scope: "",
      isProven: true, predictedError: 1e-7, method: "cascade")
    #expect(Self.finding(recovered)?.evidence == .proven)
    let all = KnowledgeFindings(
      knowledge: recovered, observation: Self.observation, artifact: "g.h5"
    ).all
    #expect(all.count == 1)
  }
}
