internal import ArgumentParser
internal import Auditing
internal import CPUBackend
internal import Simulation

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Write the gradient or update that a client would send for given samples.",
    discussion: """
      A checkpoint can thus be audited with its owner's own data before there is any federation. \
      Without --learning-rate the file holds the gradient of the mean loss over all samples; with it, \
      how far local training by stochastic gradient descent without momentum moves the weights. \
      Batch normalisation uses stored statistics and dropout passes everything. Everything is \
      computed in double precision. The file is for `leakaudit audit MODEL --gradient FILE`.
      """)

  @Argument(help: "The model, with its architecture and weights.", completion: .file())
  var model: String

  @Option(
    help: ArgumentHelp(
      "The samples, as for audit --truth: an HDF5 file with inputs and labels, or truth/inputs and truth/labels.",
      valueName: "file"), completion: .file())
  var inputs: String

  @Option(
    help: ArgumentHelp(
      "The class of each sample, counted from 0, such as 3,1,4; needed if the file has no labels.",
      valueName: "classes"), transform: classes)
  var labels: [Int]?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where the result goes.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Replace the output if it exists; never a file that is read.")
  var force = false

  @OptionGroup(title: "Local training")
  var training: TrainingArguments

  @OptionGroup(title: "Protection, in this order")
  var protection: ProtectionArguments

  @OptionGroup
  var memory: MemoryLimit

  @OptionGroup
  var messages: MessageOptions

  func run() throws {
    let console = messages.console
    var request = SimulationRequest(
      model: model, inputs: inputs, output: output,
      reader: memory.reader,
      backend: CPUBackend(threads: Parallelism.cores))
    request.labels = labels
    request.training = training.value(clippingNorm: protection.clip)
    request.protection = protection.value
    request.replacesOutput = force
    request.progress = console.progress
    do throws(SimulationFailure) {
      let summary = try request.run()
      console.clearProgress()
      console.note("\(summary); written to \(output)")
    } catch {
      console.clearProgress()
      console.error(error.description)
      throw ExitCode((error.isUsage ? ExitStatus.usage : .incomplete).rawValue)
    }
  }
}

/// Whole numbers from 0 with commas between.
@Sendable private func classes(_ text: String) throws -> [Int] {
  let labels = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
  guard !labels.isEmpty, labels.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else {
    throw ValidationError("whole numbers from 0 with commas between are needed, such as 3,1,4.")
  }
  return labels.compactMap { $0 }
}
