package import Networks
package import TensorIR
internal import Tensors

/// A participant of federated learning that computes on its samples with a model it was given.
///
/// Batch normalisation uses stored statistics, which stay as they are, and dropout passes everything.
package struct Client {
  /// What a client sends, and what its report says about the training.
  package struct Result: Sendable {
    /// The gradient, or weights after minus before, in the convention of the weights.
    package var sent: ParameterTable
    /// The mean loss of the first step, at the weights the client was given.
    package var loss: Double
    /// Steps taken; one for a gradient.
    package var steps: Int
    /// Samples in a step.
    package var batchSize: Int
  }

  private let network: Network
  private let weights: ParameterTable
  private let backend: any Backend
  /// What training minimises, averaged over the samples of a step.
  package let loss: Loss

  /// - Throws: ``SimulationError`` if the model cannot be trained here.
  package init(
    _ network: Network, weights: ParameterTable, labelSmoothing: Double = 0,
    backend: any Backend
  ) throws(SimulationError) {
    guard network.origin == .declared else {
      throw SimulationError(.noArchitecture(isInferred: true))
    }
    guard network.inputShapes.count == 1 else {
      throw SimulationError(.severalInputs(network.inputShapes.count))
    }
    self.network = network
    self.weights = weights
    self.backend = backend
    do throws(UnknownLoss) {
      loss = try network.trainingLoss(smoothing: labelSmoothing)
    } catch {
      let outputs = network.outputs.last.flatMap { network.nodes[$0].outputShape } ?? []
      throw SimulationError(.loss(name: error.name, outputs: outputs.compactMap { $0 }))
    }
  }

  /// Computes what the client would send, in double precision, before any protection of the whole.
  ///
  /// - Complexity: One gradient for each step; with clipping, one for each sample of each step.
  /// - Source: McMahan et al., *Communication-Efficient Learning of Deep Networks from Decentralized
  ///   Data*, AISTATS 2017, algorithm 1: `ClientUpdate`.
  /// - Throws: ``SimulationError`` if the samples do not fit the model, or numbers are not finite.
  package func train(
    on data: ClientData, _ training: ClientTraining
  ) throws(SimulationError) -> Result {
    var program = GradientProgram(network, weights: weights, loss: loss, backend: backend)
    let batches = training.batches(of: data.count)
    let parameters = try program.parameters(
      samples: training.clippingNorm == nil ? min(batches[0].count, Self.chunk) : 1)
    let start: [[Double]]
    do throws(ParameterMismatch) {
      start = try network.elements(of: parameters, from: weights)
    } catch {
      throw SimulationError(.parameter(error))
    }
    var (current, firstLoss) = (start, 0.0)
    var last: [[Double]] = []
    for (step, batch) in batches.enumerated() {
      let (loss, gradient) = try gradient(
        at: current, data, batch, clippingNorm: training.clippingNorm, &program)
      if let place = gradient.firstIndex(where: { !$0.allSatisfy(\.isFinite) }) {
        let node = parameters[place].key.node
        throw SimulationError(.notFinite(layer: network.nodes[node].name, step: step + 1))
      }
      if step == 0 { firstLoss = loss }
      last = gradient
      guard let rate = training.learningRate else { break }
      for place in current.indices { current[place].add(gradient[place], times: -rate) }
    }
    if training.learningRate != nil {
      last = zip(current, start).map { zip($0, $1).map { $0 - $1 } }
    }
    return Result(
      sent: network.table(of: last, for: parameters, in: weights.convention), loss: firstLoss,
      steps: batches.count, batchSize: batches[0].count)
  }

  /// How many samples are computed at once, so that memory does not grow with a batch.
  ///
  /// With stored statistics no sample depends on another, so a mean of means is exact.
  private static let chunk = 32

  /// The mean gradient of a batch; with a norm to clip to, of its clipped samples.
  private func gradient(
    at weights: [[Double]], _ data: ClientData, _ batch: Range<Int>, clippingNorm: Double?,
    _ program: inout GradientProgram
  ) throws(SimulationError) -> (loss: Double, gradients: [[Double]]) {
    let size = clippingNorm == nil ? Self.chunk : 1
    var (total, sum) = (0.0, weights.map { [Double](repeating: 0, count: $0.count) })
    for start in stride(from: batch.lowerBound, to: batch.upperBound, by: size) {
      let samples = start..<min(start + size, batch.upperBound)
      let (loss, gradients) = try program.gradient(at: weights, data, samples)
      let share = Double(samples.count) / Double(batch.count)
      var factor = 1.0
      if let clippingNorm {
        let norm = gradients.reduce(0) { $1.reduce($0) { $0 + $1 * $1 } }.squareRoot()
        if norm > clippingNorm { factor = clippingNorm / norm }
      }
      total += loss * share
      for place in sum.indices { sum[place].add(gradients[place], times: factor * share) }
    }
    return (total, sum)
  }
}

extension [Double] {
  /// Adds a multiple of another list of the same length.
  fileprivate mutating func add(_ other: [Double], times factor: Double) {
    for place in indices { self[place] += factor * other[place] }
  }
}
