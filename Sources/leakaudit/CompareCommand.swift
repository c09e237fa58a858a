internal import ArgumentParser
internal import Auditing
internal import AuditModel
internal import Reports

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare a checkpoint with the one that was agreed on.",
    discussion: """
      Finds classifier rows that changed places, layers whose weights were replaced and changes of \
      the architecture, and reports how far every parameter moved. A client checks so what its \
      server sent. Exit codes are those of an audit.
      """)

  @Argument(help: "The checkpoint that was agreed on.", completion: .file())
  var reference: String

  @Argument(help: "The checkpoint that was received.", completion: .file())
  var model: String

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "A report to write, in the formats of an audit, with =PATH for a file (repeatable).",
      valueName: "name[=path]"))
  var formats: [String] = []

  @OptionGroup(title: "What counts")
  var policy: PolicyArguments

  @OptionGroup
  var parallelism: Parallelism

  @OptionGroup
  var memory: MemoryLimit

  @OptionGroup
  var messages: MessageOptions

  func validate() throws { _ = try ReportOutput.all(formats) }

  func run() throws {
    let console = messages.console
    var request = Comparison.Request(
      reference: reference, model: model,
      reader: memory.reader)
    request.jobs = parallelism.count
    try console.end {
      try policy.apply(to: &request)
      let report = Comparison.run(request)
      console.finished(report)
      for output in try ReportOutput.all(formats) { try output.write(report) }
      console.summary(report)
      return report
    }
  }
}
