internal import ArgumentParser
internal import AuditModel
internal import Auditing

/// Numerical inversion: which attacks, and how they search.
struct InversionArguments: ParsableArguments {
  @Option(
    name: .customLong("attack"),
    help: ArgumentHelp(
      "A numerical attack on what closed forms leave (repeatable): auto (the default), "
        + "inverting-gradients, dlg, idlg, or none.",
      discussion: """
        auto starts from what closed forms left and runs only where they did not recover the inputs. \
        The others are the published attacks, and run in any case; Documentation/Inversion.md has their \
        settings. \
        The options below replace settings of every attack that runs.
        """,
      valueName: "name"),
    completion: .list(InversionSettings.Attack.allCases.map(\.rawValue) + ["none"]))
  var attacks: [AttackArgument] = []

  @Option(help: ArgumentHelp("Steps of each restart.", valueName: "n"))
  var iterations: Int?

  @Option(
    help: ArgumentHelp("Searches from starts of their own; the best counts.", valueName: "n"))
  var restarts: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The length of a step in units of the input.", valueName: "length"))
  var stepSize: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The weight of the mean total variation.", valueName: "weight"))
  var totalVariation: Double?

  @Option(
    help: ArgumentHelp("What is minimised: cosine or squared.", valueName: "name"),
    completion: .list(InversionSettings.Distance.allCases.map(\.rawValue)))
  var distance: InversionSettings.Distance?

  @Option(
    help: ArgumentHelp("Steps by adam, signed-adam, lbfgs or spectral-lbfgs.", valueName: "name"),
    completion: .list(InversionSettings.Optimizer.allCases.map(\.rawValue)))
  var optimizer: InversionSettings.Optimizer?

  @Flag(
    inversion: .prefixedNo,
    help: "Make steps ten times shorter after 3/8, 5/8 and 7/8 of the iterations.")
  var stepDecay: Bool?

  @Flag(inversion: .prefixedNo, help: "Give up restarts that fall behind.")
  var halving: Bool?

  @Flag(inversion: .prefixedNo, help: "Seek labels together with the inputs.")
  var seekLabels: Bool?

  @Option(
    help: ArgumentHelp(
      "The classes of the samples, such as 3,5,5, if they do not follow from the gradient.",
      valueName: "list"),
    transform: classes)
  var labels: [Int]?

  @Option(
    help: ArgumentHelp("Simulate gradients in single or double precision.", valueName: "name"),
    completion: .list(InversionSettings.Precision.allCases.map(\.rawValue)))
  var precision: InversionSettings.Precision?

  @Option(help: ArgumentHelp("Where random starts begin.", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Start the first restart from these inputs, a file as for --truth.", valueName: "file"),
    completion: .file())
  var start: String?

  @Option(
    help: ArgumentHelp(
      "Keep searches in this file as they run, and go on from it if it exists.",
      discussion: """
        A run that was stopped ends with the same report as one that was not, if it is started again \
        with the same inputs and settings.
        """,
      valueName: "file"), completion: .file())
  var state: String?

  @Flag(help: "State wall times in the report; it is then another in every run.")
  var timings = false

  func validate() throws {
    guard attacks.allSatisfy({ $0.value != nil }) || attacks.count == 1 else {
      throw ValidationError("--attack none goes with no other --attack.")
    }
    let counts = [
      ("--iterations", iterations, InversionSettings.iterationRange),
      ("--restarts", restarts, InversionSettings.restartRange),
    ]
    for (name, count, range) in counts {
      guard count.map(range.contains) ?? true else {
        throw ValidationError(
          "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      }
    }
    guard stepSize.map({ $0.isFinite && $0 > 0 }) ?? true else {
      throw ValidationError("--step-size must be a number above 0, such as 0.1.")
    }
    guard totalVariation.map({ $0.isFinite && $0 >= 0 }) ?? true else {
      throw ValidationError("--total-variation must be a number from 0 on, such as 1e-4.")
    }
  }

  /// The settings that the options replace.
  var overrides: InversionOverrides {
    var overrides = InversionOverrides()
    overrides.distance = distance
    overrides.optimizer = optimizer
    overrides.iterations = iterations
    overrides.restarts = restarts
    overrides.stepSize = stepSize
    overrides.totalVariation = totalVariation
    overrides.decays = stepDecay
    overrides.halves = halving
    overrides.seeksLabels = seekLabels
    overrides.precision = precision
    overrides.seed = seed
    return overrides
  }

  /// Takes over the options.
  ///
  /// - Returns: Where states are kept, if they are.
  /// - Throws: `SearchStateError` if the file of states cannot be used.
  func apply(to request: inout AuditRequest) throws -> SearchStates? {
    apply(to: &request.inversion)
    let states = try state.map { try SearchStates($0, reader: request.reader) }
    request.inversion.store = states
    Interruption.listen()
    request.inversion.isCancelled = { Interruption.isAsked }
    return states
  }

  private func apply(to request: inout InversionRequest) {
    if !attacks.isEmpty { request.attacks = attacks.compactMap(\.value) }
    request.overrides = overrides.completed(by: request.overrides)
    request.labels = labels
    request.start = start
    request.showsTimes = timings
  }
}

/// `--attack`.
struct AttackArgument: ExpressibleByArgument {
  /// `nil` for none.
  let value: InversionSettings.Attack?

  init?(argument: String) {
    guard argument != "none" else {
      value = nil
      return
    }
    guard let attack = InversionSettings.Attack(rawValue: argument) else { return nil }
    value = attack
  }
}

/// Class numbers with commas between.
@Sendable private func classes(_ text: String) throws -> [Int] {
  let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
  guard numbers.allSatisfy({ $0 ?? -1 >= 0 }) else {
    throw ValidationError("whole numbers from 0 on are needed, such as 3,5,5.")
  }
  return numbers.compactMap { $0 }
}
