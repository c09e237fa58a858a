import Foundation
import Testing

@Suite("Audits of the examples")
struct AuditTests {
  private func report(_ arguments: [String]) throws -> JSONReport {
    try JSONReport(Tool.run(arguments + ["--format", "json"]).output)
  }

  @Test("a picture that left in a gradient is recovered to rounding")
  func gradient() throws {
    let report = try report(Example.gradient + ["--truth", "Models/mlp_truth.h5"])
    let recovery = try #require(report.recoveries.first { $0.isModelInput })
    #expect(recovery.proven && recovery.samples == 1)
    let quality = try #require(recovery.quality)
    // Gradients are stored in single precision: relative errors of 6e-8, squared.
    #expect(quality.meanSquaredError.count == 1)
    #expect(quality.meanSquaredError.allSatisfy { $0 < 1e-12 })
    #expect(quality.labelsCorrect == 1)
  }

  @Test("a picture behind three convolutions is recovered, proven, measured and saved")
  func convolutions() throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let outcome = try Tool.run(
        Example.convolutions + [
          "--truth", "Models/lenet_truth.h5", "--save-recovered", "out", "--format", "json",
        ], in: folder)
      #expect(outcome.code == 1, "\(outcome.errorText)")
      let report = try JSONReport(outcome.output)
      let recovery = try #require(report.recoveries.first { $0.isModelInput })
      #expect(recovery.proven && recovery.samples == 1)
      #expect(
        report.findings.contains {
          $0.id == "cascade" && $0.severity == "critical" && $0.evidence == "proven"
        })
      // 143 dB with one processor's kernels. Rounding cannot take 60 of them, a wrong solve takes 100.
      let quality = try #require(recovery.quality)
      #expect(quality.psnr.count == 1 && quality.psnr.allSatisfy { $0 >= 80 }, "\(quality.psnr)")
      #expect(quality.labelsCorrect == 1 && quality.greyPSNR < 20)
      let out = folder.appending(path: "out")
      #expect(
        try Tool.contents(of: out) == ["comparison_0.png", "recovered.h5", "sample_0.png"])
      let png = try Data(contentsOf: out.appending(path: "sample_0.png"))
      #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    }
  }

  @Test("convolutions whose gradient would disclose the input are a finding without any gradient")
  func convolutionsAlone() throws {
    let outcome = try Tool.run(
      ["audit", "Tests/Fixtures/frameworks/lenet/lenet_dlg.h5", "--format", "json"])
    #expect(outcome.code == 1, "\(outcome.errorText)")
    let report = try JSONReport(outcome.output)
    let finding = try #require(report.findings.first { $0.id == "cascade" })
    #expect(finding.severity == "high" && finding.evidence == "structural")
    #expect(report.recoveries.isEmpty)
  }

  @Test(
    "every way in which the gradient gets out gives the same label, proven",
    arguments: [Example.gradient, Example.update, Example.optimizer])
  func label(arguments: [String]) throws {
    let report = try report(arguments)
    #expect(report.labels?.present == [4] && report.labels?.exact == true)
    #expect(report.recoveries.contains { $0.proven && $0.isModelInput })
    #expect(report.findings.contains { $0.severity == "critical" && $0.evidence == "proven" })
  }

  @Test("the control has no recovery, and no convolution of it is called exact or safe")
  func control() throws {
    let report = try report(Example.control)
    #expect(report.recoveries.isEmpty && report.findings.isEmpty)
    let leaks = Dictionary(uniqueKeysWithValues: report.layers.map { ($0.name, $0.leak) })
    #expect(leaks["classes"] == "subspace")
    // Their ranks count only if the map above were known.
    #expect(leaks["conv1"] == "inconclusive" && leaks["conv2"] == "inconclusive")
    #expect(report.verdict.contains("must not be read as safe") && report.exitCode == 2)
  }

  @Test("a gradient that carries its architecture stands alone")
  func gradientAlone() throws {
    let report = try report(["audit", "--gradient", "Models/mlp_gradient.h5"])
    #expect(report.recoveries.contains { $0.isModelInput && $0.proven })
    #expect(report.inputs.map(\.role) == ["gradient"])
  }

  @Test("the truth changes the measured quality and nothing else")
  func truth() throws {
    let without = try report(Example.gradient)
    let with = try report(Example.gradient + ["--truth", "Models/mlp_truth.h5"])
    #expect(without.recoveries.allSatisfy { $0.quality == nil })
    #expect(without.findings.map(\.id) == with.findings.map(\.id))
    #expect(without.verdict == with.verdict)
  }

  @Test("the update also stands with the architecture in a file of its own")
  func updateWithModel() throws {
    let report = try report(
      ["audit", "Models/update_before.h5"] + Example.update.dropFirst())
    #expect(report.recoveries.contains { $0.isModelInput && $0.proven })
  }

  @Test("--batch-size replaces what the file says")
  func batchSize() throws {
    let report = try report(Example.gradient + ["--batch-size", "3"])
    #expect(report.recoveries.allSatisfy { $0.batchSize == 3 })
  }

  @Test("what is known beyond the files is part of the command and changes no proof")
  func knownFacts() throws {
    let words = ["--noise", "1e-06", "--input-range", "-0.5,1.5", "--time-limit", "60"]
    let found = try report(Example.gradient + words)
    #expect(Array(found.command.suffix(6)) == words)
    #expect(found.recoveries.contains { $0.isModelInput && $0.proven })
    #expect(try report(Example.gradient).command.count == found.command.count - 6)
  }

  @Test("an update takes stated noise as a gradient does")
  func noisyUpdate() throws {
    let update = try report(Example.update + ["--noise", "1e-9"])
    #expect(update.recoveries.contains { $0.isModelInput && $0.proven })
  }

  @Test("a picture of the right mean colour scores more than a grey one and less than the recovery")
  func yardsticks() throws {
    let report = try report(Example.gradient + ["--truth", "Models/mlp_truth.h5"])
    let quality = try #require(report.recoveries.first { $0.isModelInput }?.quality)
    let mean = try #require(quality.meanImagePSNR)
    #expect(quality.greyPSNR < mean && mean < 20 && (quality.psnr.first ?? 0) > 100)
    #expect(quality.valueRange == [0, 1])
  }

  @Test("--max-memory refuses numbers beyond it and says how to raise it")
  func maxMemory() throws {
    let outcome = try Tool.run([
      "audit", "Models/mlp.h5", "--max-memory", "1KiB", "--fail-on", "none",
    ])
    #expect(outcome.code == 2)
    #expect((outcome.text + outcome.errorText).contains("--max-memory"))
  }

  @Test("a directory is searched by content, in sorted order, without following links")
  func directory() throws {
    try Tool.withDirectory { folder in
      let inner = folder.appending(path: "b")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      try Tool.copy("Models/mlp.h5", to: inner, as: "renamed.bin")
      try Tool.copy("Models/cnn_without_dense.h5", to: folder, as: "a.h5")
      try Data("no checkpoint".utf8).write(to: folder.appending(path: "text.h5"))
      try FileManager.default.createSymbolicLink(
        at: folder.appending(path: "link.h5"),
        withDestinationURL: Tool.root.appending(path: "Models/adam_one_step.h5"))
      let outcome = try Tool.run(["audit", ".", "--format", "json"], in: folder)
      #expect(outcome.code == 1)
      #expect(try JSONReport(outcome.output).inputs.map(\.path) == ["a.h5", "b/renamed.bin"])
    }
  }
}
