internal import Attacks
internal import AuditModel
internal import Checkpoints
internal import Networks
internal import Tensors

/// Turns what files hold into what an attacker sees.
struct ObservationBuilder {
  let model: BoundModel
  /// Replaces what the files say about the batch.
  let batchSize: Int?
  /// What is known about the noise in a gradient or update that somebody sent, and about inputs.
  let noise: Double?
  let inputRange: ClosedRange<Double>?

  init(model: BoundModel, request: AuditRequest) {
    self.model = model
    batchSize = request.batchSize
    noise = request.noise
    inputRange = request.inputRange
  }

  /// A gradient or update that a file states.
  ///
  /// Where a file holds several records (`isOnly` is false), the weights belong to one at most, and
  /// which one is not known.
  func observation(
    of record: GradientRecord, in file: LoadedFile, named displayed: String, isOnly: Bool
  ) throws(CheckpointError) -> (observation: Observation, withoutName: [String]) {
    let bound = try model.bind(
      record.tensors, convention: file.contents.convention, file: file.path)
    let gradient = bound.table.detectingResolution()
    let isUpdate = record.kind == .update
    let name = displayed + (record.label.isEmpty ? "" : ", \(record.label)")
    var observation = Observation(
      network: network(loss: record.facts.loss),
      weights: isOnly ? model.weights : ParameterTable(convention: model.weights.convention),
      gradient: gradient, source: isUpdate ? .update : .gradient,
      sourceName: "\(isUpdate ? "update" : "gradient") (\(name))", sign: isUpdate ? -1 : 1,
      batchSize: batchSize ?? record.facts.batchSize,
      reduction: record.facts.reduction.flatMap { Observation.Reduction(rawValue: $0) },
      steps: record.facts.localSteps ?? (isUpdate ? nil : 1),
      labelSmoothing: record.facts.labelSmoothing ?? 0,
      isTrainingMode: record.facts.isTrainingMode,
      rounding: gradient.relativeRounding())
    observation.learningRate = record.facts.learningRate
    observation.samples = record.facts.samples
    return (completed(observation), bound.withoutName)
  }

  /// The difference of two checkpoints.
  func update(
    before: ParameterTable, after: ParameterTable, facts: ExchangeFacts, name: String
  ) -> Observation {
    let difference = ParameterTable.difference(after: after, before: before)
    var observation = Observation(
      network: network(loss: facts.loss), weights: before, gradient: difference, source: .update,
      sourceName: "update (\(name))", sign: -1, batchSize: batchSize ?? facts.batchSize,
      reduction: facts.reduction.flatMap { Observation.Reduction(rawValue: $0) },
      steps: facts.localSteps, isTrainingMode: facts.isTrainingMode,
      rounding: difference.rounding(ofDifferenceBetween: before, after))
    observation.learningRate = facts.learningRate
    observation.samples = facts.samples
    return completed(observation)
  }

  /// One slot of the optimiser; the weights have moved since, so they are not part of it.
  func observation(
    of state: OptimizerState, slot: OptimizerSummary.Slot, in file: LoadedFile,
    named displayed: String
  ) throws(CheckpointError) -> (observation: Observation, leftOver: [NamedTensor]) {
    let tensors = state.slots.filter { $0.slot == slot }.map(\.tensor)
    let (table, leftOver) = try model.bindSlots(
      tensors, convention: file.contents.convention, file: file.path)
    // Keras keeps −η·g in its momentum; PyTorch, Optax and every first moment keep +g.
    let isNegative = slot == .momentum && file.contents.format.hasPrefix("keras")
    let gradient = table.detectingResolution()
    var observation = Observation(
      network: model.network, weights: ParameterTable(convention: model.weights.convention),
      gradient: gradient, source: .optimizerSlot(slot),
      sourceName: "\(slot.rawValue) of \(state.name) (\(displayed))",
      sign: isNegative ? -1 : 1, batchSize: batchSize, reduction: nil, steps: state.steps,
      rounding: gradient.relativeRounding())
    // Noise is added to what is sent; the optimiser's own state has none of it.
    observation.inputRange = inputRange
    return (observation, leftOver)
  }

  /// The observation with what the request states about it.
  private func completed(_ observation: Observation) -> Observation {
    var completed = noise.map(observation.statingNoise) ?? observation
    completed.inputRange = inputRange
    return completed
  }

  private func network(loss: String?) -> Network {
    var network = model.network
    network.loss = loss ?? network.loss
    return network
  }
}

extension ParameterTable {
  /// Every tensor marked with the coarsest format its values lie on.
  func detectingResolution() -> ParameterTable {
    var result = self
    for key in keys {
      result[key.node, key.role] = self[key.node, key.role]?.detectingResolution()
    }
    return result
  }

  /// Root-mean-square rounding error of tensors that were rounded once.
  func relativeRounding() -> [Key: Double] {
    rounding { tensor in
      let rms = tensor.summary().norm / Double(max(tensor.count, 1)).squareRoot()
      return tensor.resolution.unitRoundoff * rms / 2
    }
  }

  /// The same for a difference: the error is that of the larger parameters.
  func rounding(
    ofDifferenceBetween before: ParameterTable, _ after: ParameterTable
  ) -> [Key: Double] {
    var result: [Key: Double] = [:]
    for key in keys {
      guard let tensor = before[key.node, key.role] else { continue }
      let rms = tensor.summary().norm / Double(max(tensor.count, 1)).squareRoot()
      let step = after[key.node, key.role]?.summary().norm ?? 0
      let size = max(rms, step / Double(max(tensor.count, 1)).squareRoot())
      result[key] = tensor.resolution.unitRoundoff * size
    }
    return result
  }

  private func rounding(_ error: (Tensor) -> Double) -> [Key: Double] {
    var result: [Key: Double] = [:]
    for key in keys {
      guard let tensor = self[key.node, key.role] else { continue }
      result[key] = error(tensor) + tensor.resolution.absoluteRoundoff
    }
    return result
  }
}
