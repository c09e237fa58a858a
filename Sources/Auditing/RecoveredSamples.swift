package import Attacks
package import AuditModel
package import Checkpoints
internal import Networks
internal import Reports
internal import Tensors

/// Why recovered samples could not be written.
package struct RecoveredSaveError: Error, CustomStringConvertible {
  package let description: String
}

/// Samples in the model's own axes, ready to be compared and saved.
package struct RecoveredSamples {
  private let recovery: Knowledge.Recovery
  private let observation: Observation
  private let isModelInput: Bool
  private let artifact: String
  /// One vector per sample, in input units if the layer's input is the model's.
  private let inputs: [[Double]]

  package init(
    _ recovery: Knowledge.Recovery, observation: Observation, isModelInput: Bool, artifact: String
  ) {
    self.recovery = recovery
    self.observation = observation
    self.isModelInput = isModelInput
    self.artifact = artifact
    let map = observation.affineFromInput(to: recovery.node) ?? (1, 0)
    inputs =
      isModelInput
      ? recovery.samples.map { $0.map { ($0 - map.offset) / map.scale } } : recovery.samples
  }

  private var layer: String { observation.network.nodes[recovery.node].name }

  package func summary(truth: Truth?) -> RecoverySummary {
    RecoverySummary(
      artifact: artifact, layer: layer, isModelInput: isModelInput, samples: inputs.count,
      batchSize: observation.batchSize, proven: recovery.isProven,
      certificate: recovery.certificates.max() ?? 0, certificateScope: recovery.scope,
      predictedError: recovery.predictedError, source: observation.sourceName,
      method: recovery.method, quality: isModelInput ? quality(truth) : nil)
  }

  private func quality(_ truth: Truth?) -> RecoverySummary.Quality? {
    guard let truth, let count = truth.inputs.shape.first, count > 0, count <= 4_096 else {
      return nil
    }
    let samples = (0..<count).map { truth.inputs.slice($0).elements() }
    let labels = truth.labels.flatMap { labels in
      labels.count == count ? labels.compactMap { Int(exactly: $0) } : nil
    }
    return Evaluation(
      inputs: samples, labels: labels?.count == count ? labels : nil,
      channels: picture.map { $0.isFirst ? .first($0.channels) : .last($0.channels) }
    ).quality(of: inputs, labels: recovery.labels)
  }

  /// How the values of a sample make a picture; `nil` if they make none.
  private var picture: (height: Int, width: Int, channels: Int, isFirst: Bool)? {
    let axes = axes
    if axes.count == 2 { return (axes[0], axes[1], 1, false) }
    guard axes.count == 3 else { return nil }
    return isChannelsFirst
      ? (axes[1], axes[2], axes[0], true) : (axes[0], axes[1], axes[2], false)
  }

  /// Whether the input's first axis is its channels: layers with windows say so themselves, and only
  /// without any does the order of the kernels tell.
  private var isChannelsFirst: Bool {
    let network = observation.network
    let saysSo = network.nodes.contains {
      $0.layer is Networks.Convolution || $0.layer is Networks.Pooling
    }
    return saysSo ? network.isChannelsFirst : observation.gradient.convention == .channelsFirst
  }
}

// MARK: - Saving

extension RecoveredSamples {
  /// Writes `DIR/recovered.h5` and, for image-shaped inputs, one PNG per sample.
  package static func save(
    _ entries: [RecoveredSamples], in directory: String
  ) throws(RecoveredSaveError) {
    guard !entries.isEmpty else { return }
    do throws(RecoveredFileError) {
      try RecoveredFile.write(
        entries.enumerated().map { index, entry in
          entry.group(named: entries.count == 1 ? nil : "source_\(index)")
        }, in: directory)
    } catch {
      throw RecoveredSaveError(description: error.description)
    }
    for (index, entry) in entries.enumerated() {
      try entry.savePictures(
        in: directory, prefix: entries.count == 1 ? "sample" : "source_\(index)_sample")
    }
  }

  private var axes: [Int] {
    let count = inputs.first?.count ?? 0
    let inputShapes = observation.network.inputShapes
    let index = observation.modelInput(of: recovery.node) ?? 0
    let shape = inputShapes.indices.contains(index) ? inputShapes[index].compactMap { $0 } : []
    return shape.reduce(1, *) == count && !shape.isEmpty ? shape : [count]
  }

  private func group(named name: String?) -> RecoveredFile.Group {
    RecoveredFile.Group(
      name: name, source: observation.sourceName, layer: layer,
      inputs: Tensor(inputs.flatMap { $0 }, shape: [inputs.count] + axes),
      labels: recovery.labels.map { $0 ?? -1 }, certificates: recovery.certificates,
      isProven: recovery.isProven)
  }

  private func savePictures(in directory: String, prefix: String) throws(RecoveredSaveError) {
    guard let picture, picture.channels == 1 || picture.channels == 3 else { return }
    for (index, sample) in inputs.enumerated() {
      do throws(ReportWriteError) {
        _ = try PortableImage.write(
          sample, height: picture.height, width: picture.width, channels: picture.channels,
          channelsFirst: picture.isFirst, to: "\(directory)/\(prefix)_\(index).png")
      } catch {
        throw RecoveredSaveError(description: error.description)
      }
    }
  }
}
