import Attacks
import AuditModel
import Auditing
import Checkpoints
import Foundation
import Networks
import Tensors
import Testing

/// A recovery in front of a convolution that reads the model's own input.
@Suite("Recoveries of convolution networks")
struct ConvolutionRecoveryTests {
  /// Two rows of four pixels in three colours: which of the values belong to red tells the order.
  private struct Case {
    var isChannelsFirst: Bool
    var convention: ParameterTable.Convention

    var shape: [Int] { isChannelsFirst ? [3, 2, 4] : [2, 4, 3] }

    /// Red only: one red, two other channels.
    var red: [Double] {
      (0..<24).map { isChannelsFirst ? ($0 < 8 ? 1 : 0) : ($0.isMultiple(of: 3) ? 1 : 0) }
    }

    var observation: Observation {
      let network = Network(
        "net", input: shape,
        [
          "conv": Convolution(
            filters: 8, kernel: [3, 3], padding: .same, channelsFirst: isChannelsFirst),
          "flat": Flatten(), "fc": Dense(outputs: 10),
        ])
      return Observation(
        network: network, weights: ParameterTable(convention: convention),
        gradient: ParameterTable(convention: convention), source: .gradient,
        sourceName: "gradient (g.h5)", sign: 1, batchSize: 1, reduction: .mean, steps: 1,
        rounding: [:])
    }

    func recovery(isProven: Bool = true) -> Knowledge.Recovery {
      Knowledge.Recovery(
        node: 0, samples: [red], labels: [4], certificates: [1e-8],
        scope: "the gradient of the whole network, simulated again", isProven: isProven,
        predictedError: 1e-7, method: "cascade")
    }
  }

  private static let cases = [
    Case(isChannelsFirst: false, convention: .channelsLast),
    Case(isChannelsFirst: true, convention: .channelsFirst),
    // Keras can keep images channels-first and kernels channels-last.
    Case(isChannelsFirst: true, convention: .channelsLast),
  ]

  @Test("the finding says that input values were read back, and names the cascade")
  func finding() throws {
    let observation = Self.cases[0].observation
    for (isProven, severity) in [(true, Severity.critical), (false, .high)] {
      var knowledge = Knowledge()
      knowledge.recoveries[0] = Self.cases[0].recovery(isProven: isProven)
      let findings = KnowledgeFindings(
        knowledge: knowledge, observation: observation, artifact: "m.h5"
      ).all
      let finding = try #require(findings.first)
      #expect(findings.count == 1 && finding.id == "cascade" && finding.severity == severity)
      #expect(finding.message.hasPrefix("All 24 input values of 1 sample"))
      #expect(finding.message.hasSuffix("from the gradient (g.h5), at layer 'conv'."))
      #expect(finding.remedyEffect?.contains("amplification") == true)
    }
  }

  @Test("what a chain leaves open at a convolution is a finding of the cascade")
  func verdict() throws {
    var knowledge = Knowledge()
    knowledge.verdicts[0] = .init(.subspace, condition: "one sample", reason: "4 open directions")
    let findings = KnowledgeFindings(
      knowledge: knowledge, observation: Self.cases[0].observation, artifact: "m.h5"
    ).all
    #expect(findings.map(\.id) == ["cascade"] && findings[0].severity == .high)
  }

  @Test("a picture of one colour scores as itself in either order of axes", arguments: 0..<3)
  func quality(index: Int) {
    let entry = Self.cases[index]
    let samples = RecoveredSamples(
      entry.recovery(), observation: entry.observation, isModelInput: true, artifact: "m.h5")
    let truth = Truth(inputs: Tensor(entry.red, shape: [1] + entry.shape), labels: [4])
    let quality = samples.summary(truth: truth).quality
    #expect(quality?.psnr == [400] && quality?.labelsCorrect == 1)
    // Red everywhere is its own mean colour; taken in the wrong order it would be no colour at all.
    #expect(quality?.meanImagePSNR == 400)
    #expect(abs((quality?.greyPSNR ?? 0) - 6.020_599_913) < 1e-9)
  }

  @Test("the saved picture is the same in every order of axes")
  func pictures() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "leakaudit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var bytes: Set<Data> = []
    for entry in Self.cases {
      let samples = RecoveredSamples(
        entry.recovery(), observation: entry.observation, isModelInput: true, artifact: "m.h5")
      try RecoveredSamples.save([samples], in: folder.path)
      bytes.insert(try Data(contentsOf: folder.appending(path: "sample_0.png")))
      #expect(FileManager.default.fileExists(atPath: folder.appending(path: "recovered.h5").path))
    }
    #expect(bytes.count == 1)
  }
}
