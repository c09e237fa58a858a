internal import AuditModel
internal import Networks

/// Reports layers whose meaning the file does not carry, or carries as code.
struct CustomLayerPresent: Rule {
  static let metadata = RuleMetadata(
    identifier: "custom-layer",
    title: "A layer is code, or a class the file does not define",
    severity: .high,
    evidence: .inconclusive,
    access: .opening,
    rationale: """
      What a custom layer computes is not in the file, or is there as code. Code in a model file \
      runs with the rights of whoever loads it. Nothing of it is executed here, so what lies \
      around such a layer is judged and the layer itself is not.
      """,
    formula: nil,
    remedy: """
      Replace the layer by standard ones, or obtain its definition from a source you trust and \
      review it; do not load the file with code execution allowed.
      """,
    remedyEffect: "Standard layers can be judged, and the file no longer needs to run code.",
    sources: [.lambdaLayers],
    examples: .init(
      passing: [Subject("standard layers", input: [16], ["logits": Dense(outputs: 2)])],
      failing: [
        (
          Subject(
            "code", input: [16],
            [
              "lambda": CustomLayer(className: "Lambda", carriesCode: true),
              "logits": Dense(outputs: 2),
            ]), "lambda"
        ),
        (
          Subject(
            "class", input: [16], ["gate": CustomLayer(className: "Gate", carriesCode: false)]),
          "gate"
        ),
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.network.nodes.compactMap { node in
      guard let layer = node.layer as? CustomLayer else { return nil }
      let message =
        layer.carriesCode
        ? """
        '\(node.name)' (\(layer.className)) holds code in the file; it was not executed, so the \
        layer cannot be judged.
        """
        : """
        '\(node.name)' is of the class \(layer.className), which the file names and does not \
        define, so the layer cannot be judged.
        """
      return finding(
        in: subject, at: node.name, severity: layer.carriesCode ? .high : .medium,
        message: message,
        preconditions: [
          layer.carriesCode
            ? "Whoever loads the file allows the code in it to run."
            : "The definition is elsewhere, in code that this audit has not seen."
        ])
    }
  }
}
