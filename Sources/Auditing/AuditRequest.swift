package import AuditModel
package import Checkpoints
package import Rules
package import Settings
package import TensorIR

/// What to audit, and how; everything the command line can say.
package struct AuditRequest: PolicyBearing, Sendable {
  /// Checkpoints, or directories to search for them.
  package var models: [String] = []
  package var gradient: String?
  /// The checkpoint that the models should be.
  package var reference: String?
  package var before: String?
  package var after: String?
  package var truth: String?
  /// Samples whose gradient is simulated and audited; they are the truth as well.
  package var probe: String?
  /// The least severity that fails the run; `nil` never fails.
  package var failOn: Severity? = .high
  /// Replaces what the file says.
  package var batchSize: Int?
  /// Standard deviation of the noise known to be in every entry of the gradient or update, in its
  /// own units.
  package var noise: Double?
  /// Between which values every entry of the model input is known to lie.
  package var inputRange: ClosedRange<Double>?
  /// How the model's input was normalised, if that is known: pictures are shown and measured without.
  package var inputScale: InputScale?
  /// Seconds for what is solved step by step, after which its best state counts.
  package var timeLimit: Double?
  /// What runs graphs; without one, attacks that need graphs are left out.
  package var backend: (any Backend)?
  /// Which numerical attacks run, and how.
  package var inversion = InversionRequest()
  /// Which rules run, and where they draw their lines.
  package var rules = RuleSettings()
  /// How sensitive the data are, and what is accepted.
  package var policy = AuditPolicy()
  /// The files that `policy` and `rules` come from.
  package var policyFiles: [InputSummary] = []
  /// The options that state `policy`, with displayed paths.
  package var policyCommand: [String] = []
  /// How many rules run at a time; the report does not depend on it.
  package var jobs = 1
  package var recoveredDirectory: String?
  package var reader: CheckpointReader
  package var toolVersion = Tool.version
  /// Receives a line whenever something of interest is done; for a person who waits.
  package var progress: @Sendable (String) -> Void = { _ in }

  package init(reader: CheckpointReader) { self.reader = reader }

  /// The command line that gives the same report, without where it goes and how it is shown.
  var command: [String] {
    var words = ["leakaudit", "audit"] + models.map(DisplayedPath.of)
    let files = [
      ("--reference", reference), ("--gradient", gradient), ("--before", before),
      ("--after", after), ("--truth", truth), ("--probe", probe), ("--start", inversion.start),
    ]
    for case (let option, let path?) in files { words += [option, DisplayedPath.of(path)] }
    if let batchSize { words += ["--batch-size", "\(batchSize)"] }
    if let noise { words += ["--noise", Self.plain(noise)] }
    if let inputRange {
      words += [
        "--input-range",
        Self.plain(inputRange.lowerBound) + "," + Self.plain(inputRange.upperBound),
      ]
    }
    if let inputScale {
      for (option, numbers) in [
        ("--input-mean", inputScale.mean), ("--input-std", inputScale.deviation),
      ] {
        words += [option, numbers.map(Self.plain).joined(separator: ",")]
      }
    }
    if let timeLimit { words += ["--time-limit", Self.plain(timeLimit)] }
    words += inversion.command
    if failOn != .high { words += ["--fail-on", failOn?.rawValue ?? "none"] }
    return words + policyCommand
  }

  package mutating func adopt(_ settings: AuditSettings) {
    inversion.attacks = settings.attacks
    inversion.overrides = settings.inversion
  }

  /// The shortest text that reads back as `value`, whole numbers without a point.
  static func plain(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// The tool itself.
package enum Tool {
  package static let version = "0.1.0"
}

/// What every exit code means; the README and the help say the same.
package enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Everything was audited and nothing is at or above the failing severity.
  case clean = 0
  /// A finding is at or above the failing severity.
  case finding = 1
  /// An input was unreadable or only partly audited.
  case incomplete = 2
  /// Nothing could be audited.
  case nothing = 3
  /// Usage, configuration or writing the report failed.
  case usage = 4
}
