internal import AuditModel
internal import Networks
internal import Tensors

/// Reads the tokens of a batch off the gradient of an embedding.
///
/// A row of the table receives a gradient exactly if its token occurs, so the non-zero rows are the
/// set of tokens; order and counts are not in it.
///
/// - Exact when: the table is not shared with the output layer.
struct EmbeddingTokens: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "embedding-tokens",
    title: "The rows of an embedding that have a gradient are the tokens of the batch",
    claim: "The set of tokens follows from the zero pattern of the embedding's gradient.",
    formula: "token t occurs  ⇔  ∂L/∂E[t] ≠ 0",
    conditions: [
      "The gradient of the embedding is visible and the table is not tied to the output."
    ],
    sources: [.unintendedLeakage],
    remedy: "Aggregate securely, or freeze the embedding while training on private text.",
    remedyEffect: "A frozen embedding has no gradient, so the set of tokens is not in the update.")

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for (node, entry) in observation.network.nodes.enumerated() where entry.layer is Embedding {
      guard let table = observation.gradient[node, .embeddings], table.shape.count == 2,
        table.summary().isFinite
      else { continue }
      let rows = (0..<table.shape[0]).filter { !table.slice($0).summary().isAllZero }
      guard !rows.isEmpty, rows.count < table.shape[0] else {
        knowledge.verdicts[node] = .init(
          .inconclusive, condition: "none",
          reason: rows.isEmpty
            ? "the gradient of the embedding is exactly zero"
            : "every row has a gradient: the table is tied to the output, or the gradient was noised"
        )
        continue
      }
      let shown = rows.prefix(64).map(String.init).joined(separator: ", ")
      knowledge.verdicts[node] = .init(
        .partial, condition: "if the table is not tied to the output",
        reason:
          "the \(rows.count) tokens of the batch are its \(rows.count) rows with a gradient, of "
          + "\(table.shape[0]); their order and counts are not in it",
        measurements: [.init("tokens", rows.count > 64 ? shown + ", …" : shown)])
    }
  }
}
