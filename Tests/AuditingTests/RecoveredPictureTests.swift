import Attacks
import AuditModel
import Auditing
import CPUBackend
import Checkpoints
import Foundation
import Networks
import Reports
import Tensors
import Testing

/// Samples of 12 × 16 pixels in three colours, in front of a dense layer.
@Suite("Recovered pictures")
struct RecoveredPictureTests {
  private static let layout = PictureLayout(height: 12, width: 16, channels: .last(3))
  private static let scale = InputScale(mean: [0.5, 0.25, 0.75], deviation: [0.5, 0.25, 0.125])

  /// A picture in 0…1 of multiples of 1/64, one for each number.
  private func picture(_ number: Int) -> [Double] {
    (0..<Self.layout.count).map { Double((number * $0 + $0 * $0) % 65) / 64 }
  }

  /// What a model with normalised inputs is given for a picture.
  private func normalised(_ picture: [Double]) throws -> [Double] {
    let scale = try #require(Self.scale)
    return picture.enumerated().map {
      ($0.element - scale.mean[$0.offset % 3]) / scale.deviation[$0.offset % 3]
    }
  }

  private func entry(
    _ samples: [[Double]], batch: Int? = nil, scale: InputScale? = nil, withBackend: Bool = false
  ) throws -> RecoveredSamples {
    let network = Network(
      "net", input: [12, 16, 3],
      ["flat": Flatten(), "hidden": Dense(outputs: 2), "fc": Dense(outputs: 3)])
    let count = Self.layout.count
    var weights = ParameterTable(convention: .channelsLast)
    // The first feature is the first value, the second the sum of the second and the third.
    weights[1, .weight] = Tensor(
      (0..<count).flatMap { [$0 == 0 ? 1 : 0, $0 == 1 || $0 == 2 ? 1 : 0] as [Double] },
      shape: [count, 2])
    weights[1, .bias] = Tensor([0, 0.5], shape: [2])
    let observation = Observation(
      network: network, weights: weights, gradient: ParameterTable(convention: .channelsLast),
      source: .gradient, sourceName: "gradient (g.h5)", sign: 1, batchSize: batch,
      reduction: .mean, steps: 1, rounding: [:])
    let recovery = Knowledge.Recovery(
      node: 1, samples: samples, labels: samples.map { _ in nil },
      certificates: samples.map { _ in 0.1 }, scope: "nothing", isProven: false,
      predictedError: 1, method: "auto")
    return RecoveredSamples(
      recovery, observation: observation, isModelInput: true, artifact: "m.h5", scale: scale,
      backend: withBackend ? CPUBackend(threads: 1) : nil)
  }

  private func truth(_ samples: [[Double]]) -> Truth {
    Truth(inputs: Tensor(samples.flatMap { $0 }, shape: [samples.count, 12, 16, 3]), labels: nil)
  }

  private func saved(
    _ entries: [RecoveredSamples], truth: Truth?
  ) throws -> [String: Data] {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "leakaudit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try RecoveredSamples.save(entries, in: folder.path, truth: truth)
    return try Dictionary(
      uniqueKeysWithValues: FileManager.default.contentsOfDirectory(atPath: folder.path).map {
        ($0, try Data(contentsOf: folder.appending(path: $0)))
      })
  }

  private func expected(_ write: (String) throws -> Void) throws -> Data {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "leakaudit-\(UUID().uuidString).png").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try write(path)
    return try Data(contentsOf: URL(filePath: path))
  }

  @Test("with a scale, samples in model units are measured and saved as the pictures they mean")
  func scaled() throws {
    let (original, found) = (picture(3), picture(5))
    let plain = try entry([found])
    let scaled = try entry([try normalised(found)], scale: Self.scale)
    let quality = try #require(scaled.summary(truth: truth([try normalised(original)])).quality)
    let yardstick = try #require(plain.summary(truth: truth([original])).quality)
    #expect(abs(quality.psnr[0] - yardstick.psnr[0]) < 1e-9 && quality.valueRange == 0...1)
    let similarity = try #require(quality.structuralSimilarity?.first)
    #expect(abs(similarity - (yardstick.structuralSimilarity?[0] ?? .nan)) < 1e-9)
    #expect(quality.meanSquaredError[0] > 4 * yardstick.meanSquaredError[0])
    let files = try saved([scaled], truth: truth([try normalised(original)]))
    let same = try saved([plain], truth: truth([original]))
    #expect(files.keys.sorted() == ["comparison_0.png", "recovered.h5", "sample_0.png"])
    #expect(files["sample_0.png"] == same["sample_0.png"])
    #expect(files["comparison_0.png"] == same["comparison_0.png"])
    #expect(files["recovered.h5"] != same["recovered.h5"])
  }

  @Test("originals stand beside what was assigned to them, one picture for each source")
  func comparison() throws {
    let originals = [picture(3), picture(5), picture(7)]
    let found = [5, 7, 3].map { picture($0).map { 0.9 * $0 } }
    let files = try saved(
      [try entry(found), try entry([found[2]])], truth: truth(originals))
    let all = try expected {
      try ComparisonImage.write(
        [(originals[1], found[0]), (originals[2], found[1]), (originals[0], found[2])],
        Self.layout, to: $0)
    }
    let one = try expected {
      try ComparisonImage.write([(originals[0], found[2])], Self.layout, to: $0)
    }
    #expect(files["comparison_0.png"] == all && files["comparison_1.png"] == one)
    #expect(files["source_0_sample_2.png"] != nil)
    #expect(try saved([try entry(found)], truth: nil)["comparison_0.png"] == nil)
  }

  @Test("the first samples of a truth are the batch; the others can be mistaken for it")
  func probe() throws {
    let probe = [picture(3), picture(5), picture(7)]
    let mistaken = probe[1].map { 0.9 * $0 }
    let known = try entry([mistaken], batch: 1).summary(truth: truth(probe)).quality
    #expect(known?.identified == 0)
    let right = try entry([probe[0].map { 0.9 * $0 }], batch: 1).summary(truth: truth(probe))
    #expect(right.quality?.identified == 1)
    let unknown = try entry([mistaken]).summary(truth: truth(probe)).quality
    #expect(unknown?.identified == 1)
  }

  @Test("the reported command states how the input was normalised")
  func command() throws {
    var request = AuditRequest(reader: CheckpointReader(sandbox: SandboxedReader()))
    request.models = ["no such file.h5"]
    request.inputScale = InputScale(mean: [0.5, 0], deviation: [0.25, 1])
    let command = try Audit.run(request).command
    let words = ["--input-mean", "0.5,0", "--input-std", "0.25,1"]
    #expect(command.contains(words), "\(command)")
    request.inputScale = nil
    #expect(try !Audit.run(request).command.contains("--input-mean"))
  }

  @Test("features in front of the classifier are compared where something can compute them")
  func features() throws {
    let original = picture(3)
    var found = original
    found[0] += 0.5
    found[1] += 1
    found[2] += 1
    found[9] += 1
    let truth = truth([original])
    let quality = try #require(try entry([found], withBackend: true).summary(truth: truth).quality)
    // 0.5² and 2²; the value that no weight reads does not count. All numbers are binary.
    #expect(quality.featureDistance == [4.25])
    #expect(try entry([found]).summary(truth: truth).quality?.featureDistance == nil)
  }
}
