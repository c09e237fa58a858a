internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a classifier whose rows are those of the reference in another order.
struct PermutedClassifierRows: Rule {
  private static let mostRatio = Threshold(
    "ratio", 0.25, "squared distance of the moved rows after the exchange over that before it")

  static let metadata = RuleMetadata(
    identifier: "permuted-classifier-rows",
    title: "Rows of the classifier changed places",
    concern: .difference,
    severity: .high,
    evidence: .structural,
    rationale: """
      With two rows of a trained classifier exchanged, every sample of the two classes is \
      misclassified with confidence, so its gradient is large where that of a well-trained model is \
      nearly zero, and stands out of the batch. Each row is compared with every row of the \
      reference, and the cheapest assignment shows which ones moved.
      """,
    formula: "π = argmin Σ_c ‖w_c − r_π(c)‖²",
    remedy: "Refuse the model, or put the rows back as the reference has them.",
    remedyEffect: "Gradients of well-classified samples are small again.",
    sources: [.dishonestServers, .assignment],
    thresholds: [mostRatio],
    examples: .init(
      passing: [
        .comparedPerceptron("equal") { _ in },
        .comparedPerceptron("one step apart") { weights in
          weights.setRows(of: "logits") { _, old, random in
            old.map { $0 + 0.01 * random.normal() }
          }
        },
        .drawnPerceptron("no reference"),
      ],
      failing: [
        (.comparedPerceptron("two rows exchanged") { $0.exchange(3, 7) }, "logits"),
        (
          .comparedPerceptron("two rows exchanged, a step apart") { weights in
            weights.exchange(0, 9)
            weights.setRows(of: "logits") { _, old, random in
              old.map { $0 + 0.01 * random.normal() }
            }
          }, "logits"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    Permutation.found(in: subject).map { site in
      let cycles = site.cycles.map { cycle in
        cycle.count == 2
          ? "\(cycle[0]) and \(cycle[1])" : cycle.map(String.init).joined(separator: " → ")
      }
      let shown = cycles.prefix(8).joined(separator: "; ")
      let more = cycles.count > 8 ? "; and \(cycles.count - 8) more exchanges" : ""
      return finding(
        in: subject, at: site.layer,
        message: """
          Rows of '\(site.layer)' changed places against \(subject.reference?.artifact ?? "the reference"): \
          classes \(shown)\(more). Samples of these classes are misclassified with confidence and \
          have the largest gradients of a batch.
          """,
        measurements: [
          .init("rows moved", "\(site.moved.count)"),
          .init("squared distance after over before", site.ratio.displayed),
        ],
        preconditions: ["The reference is the model that was agreed on."])
    }
  }

  /// The largest ratio that is a finding.
  static func ratioLimit(in subject: Subject) -> Double {
    Self().value(of: mostRatio, in: subject)
  }

  func statistics(in subject: Subject) -> [Statistic] {
    Permutation.all(in: subject).map { statistic($0.ratio, Self.mostRatio, at: $0.layer) }
  }
}

extension ExampleWeights {
  fileprivate mutating func exchange(_ first: Int, _ second: Int) {
    let old = self["logits", .weight]
    let width = old.count / 10
    setRows(of: "logits") { index, row, _ in
      let source = index == first ? second : index == second ? first : index
      return Array(old[source * width..<(source + 1) * width])
    }
    self["logits", .bias].swapAt(first, second)
  }
}
