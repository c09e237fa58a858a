internal import AuditModel
internal import Networks

/// Reports a classifier with more classes than features.
struct ClassifierWiderThanFeatures: Rule {
  static let metadata = RuleMetadata(
    identifier: "classifier-wider-than-features",
    title: "The classifier has more classes than features",
    severity: .low,
    evidence: .structural,
    rationale: """
      With at least as many classes as features the logits determine the features, and samples of \
      different labels have independent rows in the classifier's gradient as long as the batch has \
      fewer samples than features: the gradient then separates the features of a batch by label.
      """,
    formula: "W [classes × features] of full column rank",
    remedy: "Keep the features wider than the classes, or share gradients of large batches only.",
    remedyEffect: "Features of a batch then mix in the gradient of the classifier.",
    sources: [.labelRestoration, .dishonestServers],
    examples: .init(
      passing: [
        Subject(
          "narrow", input: [64], ["hidden": Dense(outputs: 32), "logits": Dense(outputs: 10)])
      ],
      failing: [
        (
          Subject(
            "wide", input: [64], ["hidden": Dense(outputs: 32), "logits": Dense(outputs: 100)]),
          "logits"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.denseNodesFacingOutput.compactMap { site, _ in
      guard let features = site.inputs, site.outputs > features,
        subject.inputPath(to: site.node) == nil
      else { return nil }
      return finding(
        in: subject, at: site.name,
        message: """
          '\(site.name)' has \(site.outputs) classes for \(features) features: its logits determine \
          the features, and its gradient separates those of a batch by label.
          """,
        measurements: subject.measurements(of: site),
        preconditions: ["'\(site.name)' computes classes, and its gradient or its logits are seen."]
      )
    }
  }
}
