internal import ArgumentParser
internal import AuditModel
internal import Auditing
internal import Reports

struct BaselineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline",
    abstract: "Write the findings of an audit into a file, as accepted from now on.",
    discussion: """
      'leakaudit audit --baseline FILE' with the same inputs then reports only what is new. A finding \
      that got worse is new. Suppressed findings are left out, since they are accepted elsewhere. \
      Review the file before you commit it.
      """)

  @OptionGroup
  var inputs: AuditInputs

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The file to write; - is standard output.", valueName: "file"),
    completion: .file())
  var output = ".leakaudit-baseline.json"

  @Option(
    help: ArgumentHelp(
      "Settings and suppressions (default: .leakaudit.yml here, if there is one).",
      valueName: "file"), completion: .file())
  var config: String?

  @OptionGroup(title: "What is known")
  var known: KnownFacts

  @OptionGroup
  var messages: MessageOptions

  func validate() throws { try known.validate(hasObservation: inputs.hasObservation) }

  func run() throws {
    let console = messages.console
    var request = inputs.request(known, console)
    try console.end {
      var policy = try PolicyArguments.parse([])
      policy.config = config
      policy.failOn = FailThreshold.none
      try policy.apply(to: &request)
      let report = try Audit.run(request)
      console.finished(report)
      try TextOutput(path: output == "-" ? nil : output, what: "the baseline")
        .write(BaselineDocument.text(report.findings))
      console.note(
        "\(DisplayedNumber.counted(report.findings.count, "finding")) accepted in "
          + (output == "-" ? "standard output" : output))
      return report
    }
  }
}
