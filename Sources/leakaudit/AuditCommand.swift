internal import ArgumentParser
internal import Auditing
internal import AuditModel
internal import CPUBackend
internal import Reports

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Audit checkpoints, with a gradient or an update if there is one.",
    discussion: """
      The report goes to standard output as Markdown unless --format says otherwise; messages go \
      to standard error. A gradient file that carries its own architecture can stand alone. \
      Optimiser state inside a checkpoint is audited without being asked for.
      """)

  @OptionGroup
  var inputs: AuditInputs

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "A report to write, with =PATH for a file (repeatable): "
        + ReportCatalog.names.joined(separator: ", ") + ".",
      valueName: "name[=path]"))
  var formats: [String] = []

  @OptionGroup(title: "What counts")
  var policy: PolicyArguments

  @OptionGroup(title: "What is known")
  var known: KnownFacts

  @OptionGroup(title: "Numerical inversion")
  var inversion: InversionArguments

  @Option(
    help: ArgumentHelp(
      "Write recovered inputs as recovered.h5 and PNG into this directory. They are personal data.",
      valueName: "dir"), completion: .directory)
  var saveRecovered: String?

  @OptionGroup
  var messages: MessageOptions

  func validate() throws {
    try known.validate(hasObservation: inputs.hasObservation)
    _ = try ReportOutput.all(formats)
  }

  func run() throws {
    let console = messages.console
    var request = inputs.request(known, console)
    request.recoveredDirectory = saveRecovered
    try console.end {
      try policy.apply(to: &request)
      let states = try inversion.apply(to: &request)
      let report = try Audit.run(request)
      console.finished(report)
      for output in try ReportOutput.all(formats) { try output.write(report) }
      // The report is whole; only going on from here is not possible.
      if let failure = states?.failure { throw failure }
      console.summary(report)
      return report
    }
  }
}
