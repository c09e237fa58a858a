package import Attacks
package import AuditModel
package import Checkpoints
internal import Networks
package import TensorIR
internal import Tensors

/// Samples in the model's own axes, ready to be compared and saved.
package struct RecoveredSamples {
  let recovery: Knowledge.Recovery
  let observation: Observation
  private let isModelInput: Bool
  private let artifact: String
  private let isAlone: Bool
  private let backend: (any Backend)?
  /// What makes pictures of input units; without one, input units are shown as they are.
  let scale: InputScale?
  /// One vector per sample, in input units if the layer's input is the model's.
  let inputs: [[Double]]

  /// - Parameters:
  ///   - recovery: What was recovered, in the units of the layer's input.
  ///   - observation: What it was recovered from.
  ///   - isModelInput: Whether the layer's input is the model's, up to a known map.
  ///   - artifact: The file that reports name.
  ///   - isAlone: Whether the samples of a truth are those of this observation, rather than of several.
  ///   - scale: How the model's input was normalised, if that is known.
  ///   - backend: What computes features of samples; without one, they are not compared.
  package init(
    _ recovery: Knowledge.Recovery, observation: Observation, isModelInput: Bool,
    artifact: String, isAlone: Bool = true, scale: InputScale? = nil, backend: (any Backend)? = nil
  ) {
    self.recovery = recovery
    self.observation = observation
    self.isModelInput = isModelInput
    self.artifact = artifact
    self.isAlone = isAlone
    self.scale = scale
    self.backend = backend
    let map = observation.affineFromInput(to: recovery.node) ?? (1, 0)
    inputs =
      isModelInput
      ? recovery.samples.map { $0.map { ($0 - map.offset) / map.scale } } : recovery.samples
  }

  var layer: String { observation.network.nodes[recovery.node].name }

  package func summary(truth: Truth?) -> RecoverySummary {
    RecoverySummary(
      artifact: artifact, layer: layer, isModelInput: isModelInput, samples: inputs.count,
      batchSize: observation.batchSize, proven: recovery.isProven,
      certificate: recovery.certificates.max() ?? 0, certificateScope: recovery.scope,
      predictedError: recovery.predictedError, source: observation.sourceName,
      method: recovery.method, quality: isModelInput ? quality(truth) : nil)
  }

  private func quality(_ truth: Truth?) -> RecoverySummary.Quality? {
    truth.flatMap(originals)?.evaluation.quality(of: inputs, labels: recovery.labels)
  }
}

// MARK: - The truth

extension RecoveredSamples {
  /// The true samples, and what compares with them.
  ///
  /// Of a gradient of one step with a known batch, the first samples of the file are the batch, unless
  /// several gradients share the file; the others only make it harder to be identified.
  ///
  /// - Returns: `nil` if there are none, or more than 4,096.
  func originals(_ truth: Truth) -> (samples: [[Double]], evaluation: Evaluation)? {
    guard let count = truth.inputs.shape.first, count > 0, count <= 4_096 else { return nil }
    let samples = (0..<count).map { truth.inputs.slice($0).elements() }
    let labels = truth.labels.flatMap { labels in
      labels.count == count ? labels.compactMap { Int(exactly: $0) } : nil
    }
    let isOneStep = isAlone && (observation.source == .gradient || observation.steps == 1)
    let features = backend.flatMap { ClassifierFeatures(observation, on: $0) }
    return (
      samples,
      Evaluation(
        inputs: samples, labels: labels?.count == count ? labels : nil,
        batch: isOneStep ? observation.batchSize.map { max($0, inputs.count) } : nil,
        picture: picture, scale: scale,
        features: features.map { features in { features($0) } })
    )
  }
}

// MARK: - Pictures

extension RecoveredSamples {
  /// How the values of a sample make a picture; `nil` if they make none.
  var picture: PictureLayout? {
    let axes = axes
    if axes.count == 2 {
      return PictureLayout(height: axes[0], width: axes[1], channels: .last(1))
    }
    guard axes.count == 3 else { return nil }
    return isChannelsFirst
      ? PictureLayout(height: axes[1], width: axes[2], channels: .first(axes[0]))
      : PictureLayout(height: axes[0], width: axes[1], channels: .last(axes[2]))
  }

  /// A sample of the model's input as it is to be seen.
  func shown(_ sample: [Double]) -> [Double] {
    scale?.picture(sample, channels: picture?.channels) ?? sample
  }

  /// The extents of a sample in the order of the model's input.
  var axes: [Int] {
    let count = inputs.first?.count ?? 0
    let inputShapes = observation.network.inputShapes
    let index = observation.modelInput(of: recovery.node) ?? 0
    let shape = inputShapes.indices.contains(index) ? inputShapes[index].compactMap { $0 } : []
    return shape.reduce(1, *) == count && !shape.isEmpty ? shape : [count]
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
