package import Networks
internal import Tensors

/// Everything an attacker sees of one step; the ground truth is not part of it.
package struct Observation: Sendable {
  /// What was seen.
  package enum Source: Hashable, Sendable {
    /// The gradient itself.
    case gradient
    /// Parameters after minus parameters before.
    case update
    /// A slot of the optimiser that is linear in past gradients.
    case optimizerSlot(OptimizerSummary.Slot)
  }

  /// How the loss combined the samples of a batch.
  package enum Reduction: String, Sendable { case mean, sum }

  package var network: Network
  /// The parameters at which the gradient was taken; empty if they are not known exactly.
  package var weights: ParameterTable
  /// The gradient, or something proportional to it.
  package var gradient: ParameterTable
  package var source: Source
  /// The source in words, for reports.
  package var sourceName: String
  /// Whether the observed numbers are a positive (+1) or negative (−1) multiple of the gradient;
  /// `nil` where the file does not tell.
  package var sign: Double?
  package var batchSize: Int?
  package var reduction: Reduction?
  /// Optimiser steps that went into the observation.
  package var steps: Int?
  /// The rate of each of them.
  package var learningRate: Double?
  /// Samples of the client, of which each step takes a batch; `nil` if the batch is all of them.
  package var samples: Int?
  package var labelSmoothing: Double
  package var isTrainingMode: Bool?
  /// Root-mean-square error of the entries of each observed tensor, absolute: what rounding left,
  /// and ``noise`` where it is known.
  package var rounding: [ParameterTable.Key: Double]
  /// Standard deviation of the noise that was added to every entry, absolute, if that is known.
  package private(set) var noise: Double?
  /// Between which values every entry of the model input lies, if that is known.
  package var inputRange: ClosedRange<Double>?

  package init(
    network: Network, weights: ParameterTable, gradient: ParameterTable, source: Source,
    sourceName: String, sign: Double?, batchSize: Int?, reduction: Reduction?, steps: Int?,
    labelSmoothing: Double = 0, isTrainingMode: Bool? = nil,
    rounding: [ParameterTable.Key: Double]
  ) {
    self.network = network
    self.weights = weights
    self.gradient = gradient
    self.source = source
    self.sourceName = sourceName
    self.sign = sign
    self.batchSize = batchSize
    self.reduction = reduction
    self.steps = steps
    self.labelSmoothing = labelSmoothing
    self.isTrainingMode = isTrainingMode
    self.rounding = rounding
  }

  /// The same observation, of which it is known that noise of standard deviation `sigma` was added.
  ///
  /// Each entry of ``rounding`` grows to `√(rounding² + σ²)`.
  ///
  /// - Precondition: No noise has been stated before.
  package func statingNoise(_ sigma: Double) -> Observation {
    precondition(noise == nil, "noise is stated once")
    var stated = self
    stated.noise = sigma
    for key in gradient.keys {
      let error = rounding[key] ?? 0
      stated.rounding[key] = (error * error + sigma * sigma).squareRoot()
    }
    return stated
  }

  /// Whether it was sent by somebody, rather than found in the state of an optimiser.
  package var isExchanged: Bool {
    if case .optimizerSlot = source { false } else { true }
  }

  /// The error of one observed tensor, absolute and root-mean-square.
  package func roundingError(_ node: Int, _ role: ParameterRole) -> Double {
    rounding[ParameterTable.Key(node: node, role: role)] ?? 0
  }

  /// The dense layers whose weight gradient was observed, first to last.
  package var denseNodes: [Int] {
    network.nodes.indices.filter {
      network.nodes[$0].layer is Dense && gradient.matrix($0) != nil
    }
  }

  /// The last dense layer if nothing but scalar functions, softmax and reshaping follows it.
  package var classifier: Int? {
    guard let last = network.nodes.lastIndex(where: { $0.layer is Dense }) else { return nil }
    let behind = network.nodes[(last + 1)...]
    return behind.allSatisfy {
      $0.layer is Activation || $0.layer.treatment == .unchanged
        || $0.layer.treatment == .unchangedAtInference
    } ? last : nil
  }

  /// Whether one sample or one step's batch can be told from a mixture by the output layer.
  ///
  /// With one output, or two under softmax, every sample's loss gradient points the same way, so
  /// that a mixture of samples can look like one sample in every layer that is linear between them.
  package var separatesSamples: Bool {
    guard let classifier, let dense = network.nodes[classifier].layer as? Dense else {
      return false
    }
    return dense.outputs >= 3
  }

  /// Whether the layer acts on several positions of each sample; their mean can look like an input.
  package func hasPositions(_ index: Int) -> Bool {
    guard let shape = network.nodes[index].inputShape else { return false }
    return shape.count > 1 && Shape(shape.dropLast()).elementCount != 1
  }

  /// Whether units of node `index` with equal ratios can only belong to one sample.
  ///
  /// The loss gradients of several samples are parallel behind a layer that passes one number on:
  /// one of one unit, or a narrow one of which the samples activate the same single unit.
  package func separatesSamples(at index: Int) -> Bool {
    guard separatesSamples, !hasPositions(index) else { return false }
    return network.nodes.indices.dropFirst(index + 1).allSatisfy { node in
      guard let width = network.nodes[node].outputShape?.elementCount else { return true }
      let isHidden = node < classifier ?? 0 && network.nodes[node].layer is Dense
      let function = activation(behind: node)
      let canSilence = isHidden && (function == nil || function?.silencesUnits == true)
      return width >= (canSilence ? 8 : 3)
    }
  }

  /// The function that follows node `index` directly; `nil` if something else or nothing known does.
  package func activation(behind index: Int) -> ActivationFunction? {
    let readers = network.consumers(of: index)
    guard readers.count == 1, let next = readers.first else {
      return readers.isEmpty && network.origin == .declared ? .linear : nil
    }
    if let activation = network.nodes[next].layer as? Activation { return activation.function }
    if network.origin == .declared, network.nodes[next].layer is Dense { return .linear }
    return nil
  }

  /// Which model input reaches node `index`, if it does so by one way only.
  package func modelInput(of index: Int) -> Int? {
    guard let chain = network.chain(to: index),
      case .input(let input)? = network.nodes[chain.first ?? index].sources.first
    else { return nil }
    return input
  }

  /// How the input of node `index` follows from the model input, if only by rearranging and scaling.
  package func affineFromInput(to index: Int) -> (scale: Double, offset: Double)? {
    guard let chain = network.chain(to: index) else { return nil }
    var (scale, offset) = (1.0, 0.0)
    for node in chain {
      switch network.nodes[node].layer.treatment {
      case .unchanged: break
      case .unchangedAtInference: if isTrainingMode == true { return nil }
      case .affine(let factor, let shift):
        (scale, offset) = (scale * factor, offset * factor + shift)
      case .elementwise, .mixed: return nil
      }
    }
    return (scale, offset)
  }
}
