internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a classifier that looks at one feature only.
struct FeatureFishing: Rule {
  private static let leastShare = Threshold(
    "share", 0.5, "share of the classifier's squared weights that its largest entry holds")
  private static let leastEntries = Threshold(
    "entries", 64, "weights of the classifier; of few weights one is large by chance")

  static let metadata = RuleMetadata(
    identifier: "feature-fishing",
    title: "One weight of the classifier outweighs all others",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      A classifier with one large weight, and a bias that cancels it at a chosen value of that \
      feature, has a loss gradient for samples on one side of the value only. Moving the value \
      from round to round separates the samples of a class one by one.
      """,
    formula: "max w² / Σ w²",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: "With weights of like size every sample of a batch hides among the others.",
    sources: [.fishing],
    thresholds: [leastShare, leastEntries],
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("an outlier of ten times the bound") { weights in
          weights["logits", .weight][7] = 10 / 32.0.squareRoot()
        },
      ],
      failing: [
        (
          .drawnPerceptron("a weight of 300 and its bias") { weights in
            weights["logits", .weight] = (0..<320).map { $0 == 4 * 32 + 9 ? 300 : 0 }
            weights["logits", .bias] = (0..<10).map { $0 == 4 ? -300 * 0.7 : -1_000 }
          }, "logits"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject).compactMap { classifier in
      guard classifier.concentration >= value(of: Self.leastShare, in: subject) else { return nil }
      let rows = classifier.matrix.statistics.rows
      let row = rows.indices.max { rows[$0].peak < rows[$1].peak } ?? 0
      let entries = classifier.matrix.view.row(row)
      let column = entries.indices.max { abs(entries[$0]) < abs(entries[$1]) } ?? 0
      let bias = classifier.bias.map { ", with a bias of \($0[row].displayed)" } ?? ""
      return finding(
        in: subject, at: classifier.matrix.layer,
        message: """
          '\(classifier.matrix.layer)' rests on one weight: feature \(column) counts \
          \(entries[column].displayed) for class \(row)\(bias). Only samples beyond one value of \
          that feature have a gradient.
          """,
        measurements: [
          .init("share of the largest weight", classifier.concentration.displayed),
          .init("range of the biases", classifier.biasRange.displayed),
        ],
        preconditions: ["A gradient or an update of this model is seen."])
    }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map {
      statistic($0.concentration, Self.leastShare, at: $0.matrix.layer)
    }
  }

  private func sites(in subject: Subject) -> [ClassifierMatrix] {
    ClassifierMatrix.all(in: subject).filter {
      Double($0.matrix.view.tensor.count) >= value(of: Self.leastEntries, in: subject)
    }
  }
}
