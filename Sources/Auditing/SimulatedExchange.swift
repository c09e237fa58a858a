internal import AuditModel
package import Checkpoints
internal import Networks
package import Simulation
package import TensorIR
internal import Tensors

/// What a client would send for some samples, computed with the model it was given.
package struct SimulatedExchange {
  /// Why a simulation is not possible, and in which file the reason lies.
  package struct Failure: Error {
    private let reason: Reason

    private enum Reason {
      case file(CheckpointError)
      case simulation(SimulationError, path: String)
    }

    fileprivate init(_ error: CheckpointError) { reason = .file(error) }

    fileprivate init(_ error: SimulationError, path: String) {
      reason = .simulation(error, path: path)
    }

    /// The file that the reason is about.
    package var path: String {
      switch reason {
      case .file(let error): error.file
      case .simulation(_, let path): path
      }
    }

    package var explanation: String {
      switch reason {
      case .file(let error): error.explanation
      case .simulation(let error, _): error.explanation
      }
    }

    package var description: String { "\(path): \(explanation)" }

    func isAbout(_ subject: SimulationError.Subject) -> Bool {
      if case .simulation(let error, _) = reason { error.subject == subject } else { false }
    }
  }

  /// As it would be written.
  package let file: ExchangeFile
  /// One line for a person.
  package let summary: String

  /// Simulates a client that was given `model` and holds `samples`; `labels` replaces those in the file.
  ///
  /// - Throws: ``Failure`` if the model states no architecture that can be computed, or the samples do
  ///   not fit it.
  package init(
    _ model: LoadedFile, _ samples: LoadedFile, labels: [Int]?, _ training: ClientTraining,
    _ protection: Protection, backend: any Backend
  ) throws(Failure) {
    let bound: BoundModel?
    do throws(CheckpointError) {
      bound = try BoundModel(model)
    } catch {
      throw Failure(error)
    }
    guard let bound else {
      throw Failure(SimulationError(.noArchitecture(isInferred: false)), path: model.path)
    }
    guard let truth = samples.contents.truth else {
      throw Failure(
        CheckpointError(
          .nothingInside(detail: "it has neither /truth/inputs nor /inputs"), file: samples.path))
    }
    do throws(SimulationError) {
      guard let labels = labels.map({ $0.map(Double.init) }) ?? truth.labels else {
        throw SimulationError(.noLabels)
      }
      let smoothing = model.contents.facts.labelSmoothing ?? 0
      let client = try Client(
        bound.network, weights: bound.weights, labelSmoothing: smoothing, backend: backend)
      let result = try client.train(
        on: ClientData(inputs: truth.inputs, labels: labels), training)
      var facts = ExchangeFacts()
      facts.batchSize = result.batchSize
      facts.reduction = "mean"
      facts.loss = client.loss.name
      facts.labelSmoothing = smoothing == 0 ? nil : smoothing
      facts.localSteps = result.steps
      facts.samples = training.learningRate == nil ? nil : labels.count
      facts.learningRate = training.learningRate
      facts.isTrainingMode = false
      let sent = try protection.applied(to: result.sent, of: bound.network)
      var file = ExchangeFile(
        training.learningRate == nil ? .gradient : .update, sent, of: bound.network, facts: facts)
      file.notes = Self.notes(training, protection)
      self.file = file
      summary = Self.summary(file, result)
    } catch {
      let isModel = error.subject == .model || error.subject == .settings
      throw Failure(error, path: isModel ? model.path : samples.path)
    }
  }

  /// What was done to the gradients, so that the file says so.
  private static func notes(
    _ training: ClientTraining, _ protection: Protection
  ) -> [(name: String, value: ExchangeFile.Attribute)] {
    var notes: [(name: String, value: ExchangeFile.Attribute)] = []
    if let norm = training.clippingNorm { notes.append(("clipping_norm", .number(norm))) }
    if let noise = protection.noise {
      notes.append(("noise_standard_deviation", .number(noise)))
      notes.append(("seed", .text("\(protection.seed)")))
    }
    if let share = protection.keptShare { notes.append(("kept_share", .number(share))) }
    switch protection.quantization {
    case .format(let kind): notes.append(("quantization", .text(kind.rawValue)))
    case .uniform(let bits): notes.append(("quantization", .text("int\(bits)")))
    case nil: break
    }
    return notes
  }

  private static func summary(_ file: ExchangeFile, _ result: Client.Result) -> String {
    let tensors = file.table.tensors.values
    let norm = tensors.reduce(0) { $0 + $1.summary().norm * $1.summary().norm }.squareRoot()
    let samples = "\(result.batchSize) sample\(result.batchSize == 1 ? "" : "s")"
    let what =
      file.kind == .gradient
      ? "gradient of \(samples)"
      : "update in \(result.steps) step\(result.steps == 1 ? "" : "s") of \(samples)"
    return "\(what): "
      + "\(tensors.count) tensors, \(tensors.reduce(0) { $0 + $1.count }) entries, "
      + "norm \(norm.displayed), loss \(result.loss.displayed)"
  }
}
