package import Attacks
package import AuditModel
internal import Checkpoints
internal import Networks
package import TensorIR
internal import Tensors

/// Which numerical attacks run, and how; everything the command line and the settings can say.
package struct InversionRequest: Sendable {
  /// In the order in which they run; `nil` is ``InversionSettings/Attack/auto``, none is none.
  package var attacks: [InversionSettings.Attack]?
  package var overrides = InversionOverrides()
  /// The class of each sample, where the person at the keyboard knows them.
  package var labels: [Int]?
  /// A file with inputs to start from.
  package var start: String?
  /// Keeps states of searches.
  package var store: (any InversionStore)?
  /// Runs restarts side by side, each on a thread of its own.
  package var restartBackend: (any Backend)?
  /// How many restarts run at a time; no report depends on it.
  package var workers = 1
  package var isCancelled: @Sendable () -> Bool = { false }
  /// Whether the report states times, which differ from run to run.
  package var showsTimes = false

  package init() {}

  /// The options that state all this, but for what no report depends on.
  var command: [String] {
    var words = (attacks ?? []).flatMap { ["--attack", $0.rawValue] }
    if attacks?.isEmpty == true { words += ["--attack", "none"] }
    if let labels { words += ["--labels", labels.map(String.init).joined(separator: ",")] }
    let values: [(String, String?)] = [
      ("--distance", overrides.distance?.rawValue), ("--optimizer", overrides.optimizer?.rawValue),
      ("--iterations", overrides.iterations.map(String.init)),
      ("--restarts", overrides.restarts.map(String.init)),
      ("--step-size", overrides.stepSize.map(AuditRequest.plain)),
      ("--total-variation", overrides.totalVariation.map(AuditRequest.plain)),
      ("--seed", overrides.seed.map(String.init)), ("--precision", overrides.precision?.rawValue),
    ]
    for case (let option, let value?) in values { words += [option, value] }
    let flags = [
      ("step-decay", overrides.decays), ("halving", overrides.halves),
      ("seek-labels", overrides.seeksLabels),
    ]
    for case (let name, let value?) in flags { words.append(value ? "--\(name)" : "--no-\(name)") }
    if showsTimes { words.append("--timings") }
    return words
  }
}

extension Audit {
  /// How numerical inversions of an observation run; `nil` without anything that runs graphs.
  func inversionControl(for observation: Observation) -> InversionControl? {
    guard let backend = request.backend else { return nil }
    let wanted = request.inversion
    var control = InversionControl(
      backend: backend, restartBackend: wanted.restartBackend ?? backend)
    control.attacks = (wanted.attacks ?? [.auto]).map {
      wanted.overrides.applied(to: $0, hasKinks: observation.network.hasKinks)
    }
    control.workers = wanted.workers
    control.labels = wanted.labels
    // Who states a number of steps wants that many.
    if wanted.overrides.iterations != nil { control.workLimit = nil }
    control.box = request.inputScale.flatMap { InputBox($0, of: observation.network) }
    control.start = input(.start)?.file?.contents.truth.map { start in
      (0..<(start.inputs.shape.first ?? 0)).map { start.inputs.slice($0).elements() }
    }
    control.deadline = request.timeLimit.map { ContinuousClock.now + .seconds($0) }
    control.isCancelled = wanted.isCancelled
    control.progress = request.progress
    control.store = wanted.store
    return control
  }

  /// Adds what numerical attacks ended with, and which were not tried.
  mutating func conclude(
    _ knowledge: Knowledge, _ observation: Observation, artifact: String, truth: Truth?,
    isAlone: Bool
  ) {
    for result in knowledge.inversions {
      var summary = result.summary
      summary.artifact = artifact
      if !request.inversion.showsTimes { summary.seconds = nil }
      let entry = RecoveredSamples(
        result, observation: observation, artifact: artifact, isAlone: isAlone, request: request)
      summary.quality = entry.summary(truth: truth).quality
      inversions.append(summary)
      // A recovery that was made of it is saved as such.
      let isAdopted = knowledge.recoveries.values.contains { $0.samples == result.samples }
      if !isAdopted { samples.append(entry) }
      if result.wasInterrupted {
        isIncomplete = true
        skipped.append(
          Skipped(
            artifact: artifact,
            what: "the rest of the numerical inversion (\(summary.attack.rawValue))",
            why: "it was interrupted"))
      }
    }
    let shape = observation.network.inputShapes.first ?? []
    if let scale = request.inputScale, InputBox(scale, of: observation.network) == nil {
      skipped.append(
        Skipped(
          artifact: artifact, what: "the normalisation of the input",
          why:
            "--input-mean states \(scale.mean.count) numbers, which are not the channels of an input "
            + "of \(shape.text); inputs are taken as they are"))
    }
    for (attack, reason) in knowledge.notInverted {
      skipped.append(
        Skipped(
          artifact: artifact,
          what: "numerical inversion (\(attack.rawValue)) of the \(observation.sourceName)",
          why: reason))
    }
  }
}

extension RecoveredSamples {
  /// What a numerical attack ended with, as the input of the layer that reads the model's.
  init(
    _ result: NumericalInversion.Result, observation: Observation, artifact: String,
    isAlone: Bool, request: AuditRequest
  ) {
    let reader =
      observation.network.nodes.firstIndex { $0.sources.contains(.input(0)) } ?? 0
    self.init(
      Knowledge.Recovery(
        node: reader, samples: result.samples, labels: result.labels,
        certificates: result.samples.map { _ in result.summary.gradientMatch }, scope: "",
        isProven: false, predictedError: result.predictedError ?? .infinity,
        method: result.summary.attack.rawValue),
      observation: observation, isModelInput: true, artifact: artifact, isAlone: isAlone,
      scale: request.inputScale, backend: request.backend)
  }
}

extension InputBox {
  /// The box of valid pictures; `nil` if the numbers are not one for each channel.
  fileprivate init?(_ scale: InputScale, of network: Network) {
    let shape = network.inputShapes.first ?? []
    let channels = network.isChannelsFirst ? shape.first : shape.last
    guard scale.mean.count == 1 || channels == scale.mean.count else { return nil }
    self.init(
      lower: zip(scale.mean, scale.deviation).map { -$0 / $1 },
      upper: zip(scale.mean, scale.deviation).map { (1 - $0) / $1 },
      isChannelsFirst: network.isChannelsFirst)
  }
}
