internal import ArgumentParser
internal import Auditing
internal import AuditModel
internal import CPUBackend
internal import Checkpoints
internal import Glibc
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

  @Argument(
    help: "Checkpoints (.h5, .keras, .weights.h5, state_dict dumps), or directories to search.",
    completion: .file())
  var models: [String] = []

  @Option(
    help: ArgumentHelp("A gradient of the model.", valueName: "file"), completion: .file())
  var gradient: String?

  @Option(
    help: ArgumentHelp("The parameters before a client's update.", valueName: "file"),
    completion: .file())
  var before: String?

  @Option(
    help: ArgumentHelp("The parameters after a client's update.", valueName: "file"),
    completion: .file())
  var after: String?

  @Option(
    help: ArgumentHelp(
      "The true inputs and labels, to measure recoveries; no attack sees them.",
      valueName: "file"), completion: .file())
  var truth: String?

  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      "A report to write: md or json, with =PATH for a file (repeatable).",
      valueName: "name[=path]"))
  var formats: [String] = []

  @Option(
    help: ArgumentHelp(
      "The least severity that ends with exit code 1: none, low, medium, high or critical.",
      valueName: "severity"),
    completion: .list(["none", "low", "medium", "high", "critical"]))
  var failOn: FailOn = .high

  @Option(
    help: ArgumentHelp("Samples behind the gradient, if the file does not say.", valueName: "n"))
  var batchSize: Int?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "How many rules run at a time, as many as there are cores by default; the report is the same.",
      valueName: "n"))
  var jobs: Int?

  @OptionGroup(title: "What is known")
  var known: KnownFacts

  @Option(
    help: ArgumentHelp(
      "Write recovered inputs as recovered.h5 and PNG into this directory. They are personal data.",
      valueName: "dir"), completion: .directory)
  var saveRecovered: String?

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
    guard (before == nil) == (after == nil) else {
      throw ValidationError("--before and --after go together; the missing one is needed.")
    }
    guard gradient == nil || before == nil else {
      throw ValidationError("Give either --gradient or --before with --after, not both.")
    }
    guard !models.isEmpty || gradient != nil || before != nil else {
      throw ValidationError(
        "No input was given; a checkpoint, a --gradient or --before with --after is needed.")
    }
    guard models.count <= 1 || gradient == nil && before == nil else {
      throw ValidationError(
        "A gradient or an update belongs to one model, but \(models.count) were given. Audit them "
          + "one by one.")
    }
    guard batchSize.map({ $0 > 0 && $0 <= 1 << 24 }) ?? true else {
      throw ValidationError("--batch-size must be a whole number from 1 to 16777216.")
    }
    guard jobs.map({ (1...1_024).contains($0) }) ?? true else {
      throw ValidationError("--jobs must be a whole number from 1 to 1024.")
    }
    guard known.noise == nil || gradient != nil || before != nil else {
      throw ValidationError(
        "--noise is about a gradient or an update, but none was given; a --gradient or --before "
          + "with --after is needed.")
    }
    _ = try ReportOutput.all(formats)
  }

  func run() throws {
    let console = Console(color: color, isQuiet: quiet)
    var request = AuditRequest(
      reader: CheckpointReader(sandbox: SandboxedReader(memoryLimit: maxMemory.value)))
    request.models = models
    request.gradient = gradient
    request.before = before
    request.after = after
    request.truth = truth
    request.failOn = failOn.severity
    request.batchSize = batchSize
    request.noise = known.noise
    request.inputRange = known.inputRange
    request.timeLimit = known.timeLimit
    let cores = max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
    request.backend = CPUBackend(threads: cores)
    request.jobs = jobs ?? cores
    request.recoveredDirectory = saveRecovered
    request.progress = console.progress
    do {
      let report = try Audit.run(request)
      console.clearProgress()
      for skipped in report.skipped where skipped.what == "file" {
        console.error("\(skipped.artifact): \(skipped.why)")
      }
      for output in try ReportOutput.all(formats) { try output.write(report) }
      console.summary(report)
      throw ExitCode(Int32(report.exitCode))
    } catch let error as RecoveredSaveError {
      console.error(error.description)
      throw ExitCode(ExitStatus.usage.rawValue)
    } catch let error as OutputError {
      console.error(error.description)
      throw ExitCode(ExitStatus.usage.rawValue)
    }
  }
}

/// `--fail-on`.
enum FailOn: String, ExpressibleByArgument, CaseIterable {
  case none, low, medium, high, critical

  var severity: Severity? { Severity(rawValue: rawValue) }
}

/// A number of bytes with a unit.
struct ByteCount: ExpressibleByArgument {
  var value: Int

  init(value: Int) { self.value = value }

  init?(argument: String) {
    let units = ["": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40]
    let digits = argument.prefix { $0.isNumber }
    let unit = argument.dropFirst(digits.count).uppercased()
    guard let number = Int(digits), number > 0, let factor = units[unit] else { return nil }
    let (product, overflows) = number.multipliedReportingOverflow(by: factor)
    guard !overflows, product <= 1 << 46 else { return nil }
    value = product
  }

  var defaultValueDescription: String { value.byteText.replacing(".0 ", with: "") }
}
