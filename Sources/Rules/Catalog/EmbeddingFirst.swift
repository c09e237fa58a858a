internal import AuditModel
internal import Networks

/// Flags an embedding that reads the model input.
struct EmbeddingFirst: Rule {
  static let metadata = RuleMetadata(
    identifier: "embedding-first",
    title: "An embedding reads the input",
    severity: .high,
    evidence: .structural,
    rationale: """
      The gradient of a lookup table is zero in every row that was not looked up, so its other \
      rows name the tokens of the batch. Their order and their counts are not in this gradient.
      """,
    formula: "Ē[t] = Σ over positions holding t of the gradient of the looked-up vector",
    remedy: """
      Keep the embedding frozen or out of what is shared, or clip the gradient of every sample and \
      add noise to all rows.
      """,
    remedyEffect: """
      Without this gradient the set of tokens is no longer readable from its rows; later layers \
      may still disclose embedded positions, which the known table turns back into tokens.
      """,
    sources: [.unintendedLeakage],
    examples: .init(
      passing: [
        Subject("no embedding", input: [16], ["logits": Dense(outputs: 2)]),
        Subject(
          "after a computation", input: [16],
          ["codes": Dense(outputs: 16), "lookup": Embedding(tokens: 100, width: 8)]),
      ],
      failing: [
        (
          Subject(
            "text classifier", input: [64],
            [
              "tokens": Embedding(tokens: 10_000, width: 32), "pool": Pooling(.average),
              "logits": Dense(outputs: 2, hasBias: false),
            ]), "tokens"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    subject.network.nodes.indices.compactMap { index in
      let node = subject.network.nodes[index]
      guard let table = node.layer as? Embedding, subject.inputPath(to: index) != nil else {
        return nil
      }
      var preconditions = [
        "The table is not also the output layer; a shared table has a gradient in every row.",
        "No looked-up vector has a gradient of exactly zero, as padding may have.",
      ]
      if subject.network.origin == .inferred {
        preconditions.append("Nothing but reshaping lies in front of '\(node.name)'.")
      }
      let statement = """
        The rows of the gradient of '\(node.name)' (\(table.tokens) tokens, \(table.width) values \
        each) that are not zero name the tokens of the batch, whatever its size.
        """
      return finding(
        in: subject, at: node.name,
        message: subject.reservation(capitalized: statement) + " " + subject.disclosure,
        measurements: [.init("tokens", "\(table.tokens)"), .init("width", "\(table.width)")],
        preconditions: preconditions)
    }
  }
}
