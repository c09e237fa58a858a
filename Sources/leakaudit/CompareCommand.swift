internal import ArgumentParser
internal import Auditing
internal import AuditModel
internal import Checkpoints
internal import Glibc
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

  @Option(
    help: ArgumentHelp(
      "The least severity that ends with exit code 1: none, low, medium, high or critical.",
      valueName: "severity"),
    completion: .list(["none", "low", "medium", "high", "critical"]))
  var failOn: FailOn = .high

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How many rules run at a time, as many as there are cores by default; the report is the same.",
      valueName: "n"))
  var jobs: Int?

  @Option(
    help: ArgumentHelp(
      "Ceiling for the numbers of one file, such as 4GiB or 512MiB.", valueName: "size"))
  var maxMemory: ByteCount = ByteCount(value: 4 << 30)

  @Flag(help: "Write nothing to standard error but errors.")
  var quiet = false

  @Option(
    help: ArgumentHelp("Colours on standard error: auto, always or never.", valueName: "when"),
    completion: .list(["auto", "always", "never"]))
  var color: ColorChoice = .auto

  func validate() throws {
    guard jobs.map({ (1...1_024).contains($0) }) ?? true else {
      throw ValidationError("--jobs must be a whole number from 1 to 1024.")
    }
    _ = try ReportOutput.all(formats)
  }

  func run() throws {
    let console = Console(color: color, isQuiet: quiet)
    var request = Comparison.Request(
      reference: reference, model: model,
      reader: CheckpointReader(sandbox: SandboxedReader(memoryLimit: maxMemory.value)))
    request.failOn = failOn.severity
    request.jobs = jobs ?? max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
    let report = Comparison.run(request)
    for skipped in report.skipped where skipped.what == "file" {
      console.error("\(skipped.artifact): \(skipped.why)")
    }
    do throws(OutputError) {
      for output in (try? ReportOutput.all(formats)) ?? [] { try output.write(report) }
    } catch {
      console.error(error.description)
      throw ExitCode(ExitStatus.usage.rawValue)
    }
    console.summary(report)
    throw ExitCode(Int32(report.exitCode))
  }
}
