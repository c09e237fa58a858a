import AuditModel
import Reports
import Testing

@Suite("Chains in reports")
struct ChainTests {
  private func render(_ chain: ChainSummary?) -> String {
    var report = Fixture.empty
    report.chains = chain.map { [$0] } ?? []
    return MarkdownReport().render(report)
  }

  @Test("a report without a chain has no such section")
  func none() { #expect(!render(nil).contains("How far down")) }

  @Test("a row states equations, rank and errors, a dash what was not computed")
  func row() {
    let text = render(Fixture.chain)
    #expect(
      text.contains(
        "| `conv3` | convolution | 4,096 | 1,024 + 9,216 | 4,096 | 1200 | 8.8e-8 | 7.3e-5 | **exact** "
          + "| direct solve; 61 % of entries active |"))
    #expect(
      text.contains("| 8,192 | 4,096 + 2,048 | 6,000 | – | – | – | subspace | direct solve |"))
    #expect(text.contains("\nWhere it ends: at 'conv2', where 2,192 directions stay open.\n"))
    #expect(text.contains("so nothing is claimed.\n"))
    #expect(text.contains("above 1e-10 of the largest"))
  }

  @Test("the input is said to be reached if it is, and no outcome is explained that does not occur")
  func reached() {
    var chain = Fixture.chain
    chain.steps.removeLast()
    (chain.reachesInput, chain.stop, chain.jointSolve) = (true, nil, nil)
    let text = render(chain)
    #expect(text.contains("The chain reaches the model's own input."))
    #expect(!text.contains("Where it ends") && !text.contains("All equations at once"))
    #expect(!text.contains("- subspace:") && !text.contains("- stopped:"))
  }

  @Test("what is not claimed is compared with a truth, if there is one")
  func withheld() {
    var chain = Fixture.chain
    chain.withheld = .init(predictedError: 0.109)
    #expect(!render(chain).contains("not claimed"))
    chain.withheld?.quality = .init(
      meanSquaredError: [0.0081], psnr: [20.9], greyPSNR: 14, meanImagePSNR: nil,
      labelsCorrect: nil)
    #expect(render(chain).contains("is off by 0.09 per value, where 0.109 was predicted.\n"))
  }

  @Test(
    "up to 60 layers have a row each; of more, the middle is counted", arguments: [60, 61, 200])
  func length(count: Int) {
    var chain = Fixture.chain
    chain.steps = (0..<count).map { place in
      .init(
        layer: "l\(place)", kind: "convolution", route: "direct", unknowns: 1, forwardEquations: 1,
        gradientEquations: 1, rank: 1, outcome: place.isMultiple(of: 2) ? .exact : .gradientOnly)
    }
    let text = render(chain)
    let rows = text.split(separator: "\n").count { $0.hasPrefix("| `l") }
    #expect(rows == 60)
    #expect(text.contains("| `l\(count - 1)` |"))
    let hidden = count - 60
    #expect(text.contains("between, which the JSON report lists") == (hidden > 0))
    if hidden == 140 { #expect(text.contains("140 layers between")) }
    if hidden == 140 { #expect(text.contains("70 exact, 70 gradient only")) }
  }
}
