internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a classifier in which one class outweighs all others.
struct ClassFishing: Rule {
  private static let leastDominance = Threshold(
    "dominance", 10, "norm of the largest classifier row over the median one")

  static let metadata = RuleMetadata(
    identifier: "class-fishing",
    title: "One row of the classifier outweighs all others",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      With all rows of the classifier but one near zero, and biases that decide for the other \
      classes, samples of those classes have almost no loss gradient. What is left of the gradient \
      of a batch belongs to the samples of one class, often a single one, and is inverted as if it \
      had been sent alone.
      """,
    formula: "max ‖w_c‖ / median ‖w_c‖",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: "With rows of like size every sample of a batch hides among the others.",
    sources: [.fishing, .dishonestServers],
    thresholds: [leastDominance],
    knownErrors: "Classifiers over vocabularies in which most classes never occurred in training.",
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("zero before training") { weights in
          weights["logits", .weight] = Array(repeating: 0, count: 320)
        },
        .drawnPerceptron("one class three times as large") { weights in
          weights.setRows(of: "logits") { index, old, _ in
            index == 4 ? old.map { 3 * $0 } : old
          }
        },
      ],
      failing: [
        (
          .drawnPerceptron("all rows but one zero, biases of 1000") { weights in
            weights.setRows(of: "logits") { index, old, _ in
              old.map { _ in index == 4 ? 0.5 : 0 }
            }
            weights["logits", .bias] = (0..<10).map { $0 == 4 ? 0.1 : 1_000 }
          }, "logits"
        ),
        (
          .drawnPerceptron("one class scaled") { weights in
            weights.setRows(of: "logits") { index, old, _ in
              index == 4 ? old.map { 50 * $0 } : old
            }
          }, "logits"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    ClassifierMatrix.all(in: subject).compactMap { classifier in
      let dominance = classifier.dominance
      guard dominance >= value(of: Self.leastDominance, in: subject),
        classifier.concentration < 0.5
      else { return nil }
      let rows = classifier.matrix.statistics.rows
      let largest = rows.indices.max { rows[$0].squares < rows[$1].squares } ?? 0
      let zeros = rows.count { $0.squares == 0 }
      let rest =
        zeros > 0
        ? "\(zeros) of \(rows.count) rows are zero"
        : "its norm is \(dominance.displayed) times the median of all rows"
      return finding(
        in: subject, at: classifier.matrix.layer,
        message: """
          Class \(largest) outweighs all others in '\(classifier.matrix.layer)': \(rest), and \
          biases span \(classifier.biasRange.displayed). The gradient of a batch is then that of \
          few of its samples.
          """,
        measurements: [
          .init("largest over median row norm", dominance.displayed),
          .init("rows of zeros", "\(zeros)"),
          .init("range of the biases", classifier.biasRange.displayed),
        ],
        preconditions: ["A gradient or an update of this model is seen."])
    }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    ClassifierMatrix.all(in: subject).map {
      statistic($0.dominance, Self.leastDominance, at: $0.matrix.layer)
    }
  }
}
