import AuditModel
import Auditing
import Testing

@Suite("Verdict")
struct VerdictTests {
  private func verdict(_ reading: ChainReading) -> Verdict {
    Verdict(
      findings: [], recoveries: [], chains: [reading], labels: [], layers: [], failOn: .high,
      hasSubject: true, isIncomplete: true)
  }

  private func reading(
    _ outcome: ChainSummary.Outcome, reachesInput: Bool = false, isObserved: Bool = true
  ) -> ChainReading {
    ChainReading(
      ChainReadingTests.chain(
        [ChainReadingTests.step("conv2", outcome)], reachesInput: reachesInput),
      network: ChainReadingTests.network, isObserved: isObserved)
  }

  @Test("a chain short of the input gives feature maps, with their size")
  func features() {
    let verdict = verdict(reading(.exact))
    #expect(
      verdict.attackerGets == [
        "The feature maps down to 'conv2', from the gradient (gradient.h5): 8×8×4 values."
      ])
    #expect(verdict.sentence.hasPrefix("No model input was recovered; features or labels were."))
  }

  @Test("a chain without a gradient says what one would give")
  func withoutGradient() {
    let short = verdict(reading(.exact, isObserved: false))
    #expect(short.attackerGets.first?.contains("should somebody see it: 8×8×4 values.") == true)
    // Nothing was recovered, since there was nothing to recover from.
    #expect(!short.sentence.contains("features or labels were"))
    let whole = verdict(reading(.exact, reachesInput: true, isObserved: false))
    #expect(
      whole.attackerGets.first?.hasPrefix("The input itself, from the gradient of one") == true)
  }

  @Test("a chain that determined nothing promises nothing")
  func nothing() {
    let verdict = verdict(reading(.stopped))
    #expect(verdict.attackerGets.count == 1 && !verdict.attackerGets[0].contains("feature maps"))
    #expect(!verdict.sentence.contains("dense layer"))
  }
}
