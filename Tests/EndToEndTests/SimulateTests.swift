import Foundation
import Testing

@Suite("Simulated clients")
struct SimulateTests {
  private static let picture = [
    "simulate", "Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--output",
  ]

  private func simulate(_ folder: URL, _ options: [String] = []) throws -> URL {
    let file = folder.appending(path: "out.h5")
    let outcome = try Tool.run(Self.picture + [file.path] + options)
    #expect(outcome.code == 0, "\(outcome.errorText)")
    return file
  }

  @Test("a picture is recovered from a simulated gradient, and the label with it")
  func gradient() throws {
    try Tool.withDirectory { folder in
      let file = try simulate(folder)
      let outcome = try Tool.run([
        "audit", "Models/mlp.h5", "--gradient", file.path, "--truth", "Models/mlp_truth.h5",
        "--format", "json",
      ])
      try expectRecovery(outcome, meanSquaredError: 1e-12)
    }
  }

  @Test(
    "a probe does both at once, through dense layers and convolutions",
    arguments: [
      ("Models/mlp.h5", "Models/mlp_truth.h5", 1e-12),
      // 80 dB, as for the committed gradient of the same picture.
      ("Models/lenet_gradient.h5", "Models/lenet_truth.h5", 1e-8),
    ])
  func probe(model: String, probe: String, meanSquaredError: Double) throws {
    let outcome = try Tool.run(["audit", model, "--probe", probe, "--format", "json"])
    try expectRecovery(outcome, meanSquaredError: meanSquaredError)
    let report = try JSONReport(outcome.output)
    #expect(report.command == ["leakaudit", "audit", model, "--probe", probe])
  }

  private func expectRecovery(_ outcome: Tool.Outcome, meanSquaredError: Double) throws {
    #expect(outcome.code == 1, "\(outcome.errorText)")
    let report = try JSONReport(outcome.output)
    let recovery = try #require(report.recoveries.first { $0.isModelInput })
    #expect(recovery.proven && recovery.samples == 1)
    let quality = try #require(recovery.quality)
    #expect(quality.meanSquaredError.allSatisfy { $0 < meanSquaredError })
    #expect(quality.labelsCorrect == 1 && report.labels?.present == [4])
  }

  @Test("an update of one step gives the picture away as well")
  func update() throws {
    try Tool.withDirectory { folder in
      let file = try simulate(folder, ["--learning-rate", "0.1", "--precision", "float64"])
      let inspection = try Tool.run(["inspect", file.path]).text
      #expect(inspection.contains("update"))
      let outcome = try Tool.run([
        "audit", "Models/mlp.h5", "--gradient", file.path, "--truth", "Models/mlp_truth.h5",
        "--format", "json",
      ])
      try expectRecovery(outcome, meanSquaredError: 1e-12)
    }
  }

  @Test("noise is as large as stated, so the recovery of the picture is as well")
  func noise() throws {
    let probe = ["audit", "Models/mlp.h5", "--probe", "Models/mlp_truth.h5", "--format", "json"]
    let noisy = try JSONReport(Tool.run(probe + ["--noise", "1e-3"]).output)
    let exact = try JSONReport(Tool.run(probe).output)
    let errors = try [exact, noisy].map { report in
      try #require(report.recoveries.first { $0.isModelInput }?.quality?.meanSquaredError.first)
    }
    #expect(errors[0] < 1e-12 && errors[1] > 1e-9 && errors[1] < 1e-2, "\(errors)")
  }

  @Test("equal options give equal bytes, and another seed other noise")
  func determinism() throws {
    func bytes(_ seed: String) throws -> Data {
      try Tool.withDirectory { folder in
        let options = ["--noise", "0.1", "--sparsify", "0.1", "--quantize", "int4", "--seed", seed]
        return try Data(contentsOf: simulate(folder, options))
      }
    }
    let first = try bytes("1")
    #expect(try bytes("1") == first)
    #expect(try bytes("2") != first)
  }

  @Test("neither what is read nor what exists is overwritten")
  func outputs() throws {
    try Tool.withDirectory { folder in
      try Tool.copy("Models", to: folder)
      let names = ["Models/mlp.h5", "Models/mlp_truth.h5"]
      let before = try names.map { try Data(contentsOf: folder.appending(path: $0)) }
      for name in names + ["./Models/../Models/mlp.h5"] {
        let outcome = try Tool.run(Self.picture + [name, "--force"], in: folder)
        #expect(outcome.code == 4 && outcome.errorText.contains("that is read"))
      }
      #expect(try names.map { try Data(contentsOf: folder.appending(path: $0)) } == before)
      let exists = try Tool.run(Self.picture + ["Models/README.md"], in: folder)
      #expect(exists.code == 4 && exists.errorText.contains("--force"))
      let forced = try Tool.run(Self.picture + ["Models/README.md", "--force"], in: folder)
      #expect(forced.code == 0, "\(forced.errorText)")
    }
  }

  @Test(
    "what cannot be simulated is one line with its remedy",
    arguments: [
      (["Models/mlp.h5", "--inputs", "Models/lenet_truth.h5"], 2, "16×16×3"),
      (["Models/mlp.h5", "--inputs", "Models/mlp.h5"], 2, "inputs"),
      (["no.h5", "--inputs", "Models/mlp_truth.h5"], 2, "no such file"),
      (["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--labels", "10"], 4, "from 0 to 9"),
      (["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--labels", "1,2"], 4, "2 labels"),
      (
        ["Tests/Fixtures/frameworks/torch/state.h5", "--inputs", "Models/mlp_truth.h5"], 2,
        "guessed"
      ),
      (["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--noise", "-1"], 4, "above 0"),
      (
        ["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--local-steps", "2"], 4, "--learning"
      ),
      (["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--sparsify", "1.5"], 4, "share"),
      (["Models/mlp.h5", "--inputs", "Models/mlp_truth.h5", "--quantize", "int1"], 4, "int1"),
    ])
  func failures(arguments: [String], code: Int32, words: String) throws {
    try Tool.withDirectory { folder in
      let file = folder.appending(path: "out.h5")
      let outcome = try Tool.run(["simulate"] + arguments + ["--output", file.path])
      #expect(outcome.code == code && outcome.output.isEmpty)
      #expect(outcome.errorText.contains(words), "\(outcome.errorText)")
      #expect(try Tool.contents(of: folder).isEmpty)
    }
  }

  @Test("a probe that does not fit leaves the model audited and the run incomplete")
  func misfit() throws {
    let outcome = try Tool.run([
      "audit", "Models/cnn_without_dense.h5", "--probe", "Models/lenet_truth.h5", "--format",
      "json",
    ])
    #expect(outcome.code == 2)
    let report = try JSONReport(outcome.output)
    #expect(report.skipped.contains { $0.why.contains("each sample is of shape 16×16×3") })
    #expect(!report.layers.isEmpty)
  }

  @Test(
    "a probe stands alone",
    arguments: [
      ["--gradient", "Models/mlp_gradient.h5"], ["--truth", "Models/mlp_truth.h5"],
      ["--batch-size", "1"],
    ])
  func combinations(other: [String]) throws {
    let outcome = try Tool.run(
      ["audit", "Models/mlp.h5", "--probe", "Models/mlp_truth.h5"] + other)
    #expect(outcome.code == 4 && outcome.errorText.contains("--probe"))
    #expect(try Tool.run(["audit", "--probe", "Models/mlp_truth.h5"]).code == 4)
  }
}
