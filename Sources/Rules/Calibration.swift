/// How often a rule was wrong when it was last measured.
///
/// `Benchmarks/rules.py` measures it; a test compares these figures with its results.
package struct Calibration: Sendable, Equatable {
  /// What the rule should be silent on: clean checkpoints, or a model one step from its reference.
  package var clean: Int
  package var falseAlarms = 0
  /// Models that were changed so that the rule should speak.
  package var changed: Int
  package var found: Int

  /// The figures of every rule that can be wrong, by identifier.
  ///
  /// The others state what an architecture or a file holds; there is no clean network to be wrong on.
  package static let all: [String: Calibration] = [
    "changed-architecture": .compared(27),
    "class-fishing": .alone(54),
    "dense-block-at-input": .alone(18),
    "duplicate-rows": .alone(27),
    "feature-fishing": .alone(27),
    "huge-query-bias": .alone(9),
    "imprint-rows": .alone(27),
    "input-skip-to-late-layer": .alone(27),
    "invertible-path": .alone(27),
    "pass-through-layers": .alone(27),
    "permuted-classifier-rows": .compared(27),
    "replaced-weights": .compared(27),
    "reset-batch-normalization": .alone(27),
    "scaled-rows": .alone(27),
    "trap-weights": .alone(27),
    "unusual-weights": .alone(27),
    "weights-per-sample": .alone(27),
    "zeroed-embedding-columns": .alone(9),
  ]

  /// Found in all `changed` models, and in none of the clean checkpoints.
  private static func alone(_ changed: Int) -> Calibration {
    Calibration(clean: 65, changed: changed, found: changed)
  }

  /// Found in all `changed` models, and in none of the honest steps.
  private static func compared(_ changed: Int) -> Calibration {
    Calibration(clean: 27, changed: changed, found: changed)
  }
}

extension RuleMetadata {
  /// How often the rule was wrong, in a sentence.
  package var measuredErrors: String {
    guard let calibration = Calibration.all[identifier] else {
      return "No rate of false alarms: the rule states what the architecture or the file holds."
    }
    let clean = concern == .difference ? "honest steps from a reference" : "clean checkpoints"
    return "\(calibration.falseAlarms) false alarms on \(calibration.clean) \(clean); found in "
      + "\(calibration.found) of \(calibration.changed) models changed so."
  }
}
