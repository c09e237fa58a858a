internal import AuditModel
internal import Networks
internal import Tensors

/// Flags weights that have nothing to do with those of the reference.
struct ReplacedWeights: Rule {
  private static let mostCosine = Threshold(
    "cosine", 0.5, "cosine between the weights of a layer and those of the reference")
  private static let leastEntries = Threshold(
    "entries", 64, "weights of the layer; few weights turn far in a few steps")

  static let metadata = RuleMetadata(
    identifier: "replaced-weights",
    title: "The weights of a layer are not those of the reference",
    concern: .difference,
    severity: .high,
    evidence: .structural,
    rationale: """
      Steps of training turn the weights of a layer little: after whole epochs they still point \
      mostly where they did. A layer whose weights are uncorrelated with the reference was drawn \
      anew or written by hand.
      """,
    formula: "⟨w, r⟩ / (‖w‖ ‖r‖)",
    remedy: "Ask for the reason, and audit the model before it sees data.",
    remedyEffect: "A replaced layer that was announced can be judged like any other.",
    sources: [.dishonestServers],
    thresholds: [mostCosine, leastEntries],
    knownErrors: "References from long before, or of another training run.",
    examples: .init(
      passing: [
        .comparedPerceptron("equal") { _ in },
        .comparedPerceptron("a fifth apart") { weights in
          weights.setRows(of: "hidden") { _, old, random in
            old.map { $0 + 0.015 * random.normal() }
          }
        },
        .comparedPerceptron("exchanged rows, which another rule names") { weights in
          let old = weights["logits", .weight]
          weights["logits", .weight] = Array(old[32...]) + old[..<32]
        },
      ],
      failing: [
        (
          .comparedPerceptron("drawn anew") { weights in
            weights.setRows(of: "hidden") { _, old, random in
              old.map { _ in random.uniform(-0.125, 0.125) }
            }
          }, "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    let permuted = Set(Permutation.found(in: subject).map(\.node))
    return sites(in: subject).compactMap { drift in
      guard drift.cosine <= value(of: Self.mostCosine, in: subject),
        !permuted.contains(drift.node)
      else { return nil }
      return finding(
        in: subject, at: drift.layer,
        message: """
          The \(drift.role) of '\(drift.layer)' is not that of \
          \(subject.reference?.artifact ?? "the reference"): the cosine between both is \
          \(drift.cosine.displayed), and they lie \(drift.distance.displayed) times the \
          reference's norm apart.
          """,
        measurements: [
          .init("cosine", drift.cosine.displayed),
          .init("relative distance", drift.distance.displayed),
        ],
        preconditions: ["The reference is the model that was agreed on, or close to it in time."])
    }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map { statistic($0.cosine, Self.mostCosine, at: $0.layer) }
  }

  private func sites(in subject: Subject) -> [Drift] {
    Drift.all(in: subject).filter { drift in
      drift.shape.count >= 2
        && Double(drift.shape.reduce(1, *)) >= value(of: Self.leastEntries, in: subject)
    }
  }
}
