internal import ArgumentParser
internal import Auditing
internal import Checkpoints
internal import CPUBackend

/// The files to audit; `audit` and `baseline` take the same.
struct AuditInputs: ParsableArguments {
  @Argument(
    help: "Checkpoints (.h5, .keras, .weights.h5, state_dict dumps), or directories to search.",
    completion: .file())
  var models: [String] = []

  @Option(
    help: ArgumentHelp(
      "The checkpoint that the models should be, as for `compare`: what differs is a finding, and a "
        + "gradient shows what it gives away.", valueName: "file"), completion: .file())
  var reference: String?

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
    help: ArgumentHelp(
      "Samples of your own, as for --truth: audit the gradient that the model has for all of them at once.",
      discussion: """
        It is computed as `leakaudit simulate` does, with the noise that --noise states; the samples \
        then serve as the truth. No attack sees them.
        """,
      valueName: "file"), completion: .file())
  var probe: String?

  @Option(
    help: ArgumentHelp("Samples behind the gradient, if the file does not say.", valueName: "n"))
  var batchSize: Int?

  @OptionGroup
  var memory: MemoryLimit

  @OptionGroup
  var parallelism: Parallelism

  /// Whether a gradient or an update was given.
  var hasExchange: Bool { gradient != nil || before != nil }
  /// Whether there is a gradient or an update that can have noise.
  var hasObservation: Bool { hasExchange || probe != nil }

  func validate() throws {
    guard (before == nil) == (after == nil) else {
      throw ValidationError("--before and --after go together; the missing one is needed.")
    }
    guard gradient == nil || before == nil else {
      throw ValidationError("Give either --gradient or --before with --after, not both.")
    }
    guard
      probe == nil || !hasExchange && truth == nil && batchSize == nil
    else {
      throw ValidationError(
        "--probe stands for a gradient, its batch size and its truth; none of --gradient, --before, "
          + "--truth and --batch-size goes with it.")
    }
    guard reference == nil || before == nil && !models.isEmpty else {
      throw ValidationError(
        "--reference is compared with a checkpoint; give the one that was received as an argument, "
          + "without --before and --after.")
    }
    guard probe == nil || !models.isEmpty else {
      throw ValidationError("--probe needs the model whose gradient is to be simulated.")
    }
    guard !models.isEmpty || hasExchange else {
      throw ValidationError(
        "No input was given; a checkpoint, a --gradient or --before with --after is needed.")
    }
    guard models.count <= 1 || !hasExchange else {
      throw ValidationError(
        "A gradient or an update belongs to one model, but \(models.count) were given. Audit them "
          + "one by one.")
    }
    guard batchSize.map({ $0 > 0 && $0 <= 1 << 24 }) ?? true else {
      throw ValidationError("--batch-size must be a whole number from 1 to 16777216.")
    }
  }

  func request(_ known: KnownFacts, _ console: Console) -> AuditRequest {
    var request = AuditRequest(
      reader: memory.reader)
    request.models = models
    request.gradient = gradient
    request.reference = reference
    request.before = before
    request.after = after
    request.truth = truth
    request.probe = probe
    request.batchSize = batchSize
    request.noise = known.noise
    request.inputRange = known.inputRange
    request.inputScale = known.inputScale
    request.timeLimit = known.timeLimit
    request.backend = CPUBackend(threads: Parallelism.cores)
    request.inversion.restartBackend = CPUBackend(threads: 1)
    request.inversion.workers = Parallelism.cores
    request.jobs = parallelism.count
    request.progress = console.progress
    return request
  }
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
