internal import AuditModel
package import Checkpoints
internal import Networks
package import Simulation
package import TensorIR

/// What to simulate, and where it goes; everything the command line can say.
package struct SimulationRequest: Sendable {
  package var model: String
  /// The file with the samples, as for `--truth`.
  package var inputs: String
  /// Replaces the labels in the file.
  package var labels: [Int]?
  package var training = ClientTraining()
  package var protection = Protection()
  package var output: String
  package var replacesOutput = false
  package var reader: CheckpointReader
  package var backend: any Backend
  package var progress: @Sendable (String) -> Void = { _ in }

  package init(
    model: String, inputs: String, output: String, reader: CheckpointReader, backend: any Backend
  ) {
    self.model = model
    self.inputs = inputs
    self.output = output
    self.reader = reader
    self.backend = backend
  }

  /// Reads, computes and writes.
  ///
  /// - Returns: One line that says what was written.
  /// - Throws: ``SimulationFailure``; nothing was written then.
  package func run() throws(SimulationFailure) -> String {
    try checkOutput()
    progress("reading \(DisplayedPath.of(model)) and \(DisplayedPath.of(inputs))")
    let model: LoadedFile
    let samples: LoadedFile
    do throws(CheckpointError) {
      model = try reader.read(self.model, as: .model)
      samples = try reader.read(inputs, as: .truth)
    } catch {
      throw SimulationFailure(description: error.description, isUsage: false)
    }
    progress("computing the \(training.learningRate == nil ? "gradient" : "update")")
    let simulation: SimulatedExchange
    do throws(SimulatedExchange.Failure) {
      simulation = try SimulatedExchange(
        model, samples, labels: labels, training, protection, backend: backend)
    } catch {
      let isUsage = error.isAbout(.labels) && labels != nil
      throw SimulationFailure(
        description: isUsage ? "--labels: \(error.explanation)" : error.description,
        isUsage: isUsage)
    }
    do throws(ExchangeFileError) {
      try simulation.file.write(to: output, replacing: replacesOutput)
    } catch {
      throw SimulationFailure(description: error.description, isUsage: true)
    }
    return simulation.summary
  }

  private func checkOutput() throws(SimulationFailure) {
    guard let there = FileIdentity(output) else { return }
    for (input, role) in [(model, "model"), (inputs, "file of inputs")]
    where FileIdentity(input) == there {
      throw SimulationFailure(
        description:
          "\(output): it is the \(role) that is read; a path of its own is needed. Choose "
          + "another --output.", isUsage: true)
    }
    if !replacesOutput {
      throw SimulationFailure(description: ExchangeFile.exists(output).description, isUsage: true)
    }
  }
}

/// Why nothing was simulated.
package struct SimulationFailure: Error {
  package let description: String
  /// Whether the command line is at fault, not a file.
  package let isUsage: Bool
}
