internal import AuditModel
internal import Networks

/// Reports a layer that the arriving shape cannot enter.
struct ShapeMismatchPresent: Rule {
  static let metadata = RuleMetadata(
    identifier: "shape-mismatch",
    title: "Shapes do not fit together",
    severity: .medium,
    evidence: .inconclusive,
    rationale: """
      A layer receives a shape it cannot take: the file is damaged, altered, or uses a layer in a \
      way this tool reads differently. Nothing behind it can be analysed, and silence about what \
      lies there is not a sign of safety.
      """,
    formula: nil,
    remedy: """
      Compare the configuration with the weights, and export the file again from the model that \
      runs.
      """,
    remedyEffect: "The layers behind can then be analysed.",
    sources: [.convolutionArithmetic],
    examples: .init(
      passing: [Subject("fits", input: [16], ["logits": Dense(outputs: 2, inputs: 16)])],
      failing: [
        (
          Subject(
            "too narrow", input: [15],
            ["logits": Dense(outputs: 2, inputs: 16), "softmax": Activation(.softmax)]), "logits"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.network.nodes.compactMap { node in
      guard let mismatch = node.mismatch else { return nil }
      return finding(
        in: subject, at: node.name,
        message: """
          '\(node.name)' receives \(mismatch.found.text), but \(mismatch.expectation); nothing \
          behind it was analysed.
          """,
        measurements: [.init("arriving shape", mismatch.found.text)],
        preconditions: ["The file states its shapes as the model uses them."])
    }
  }
}
