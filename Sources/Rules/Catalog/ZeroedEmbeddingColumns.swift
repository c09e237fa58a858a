internal import AuditModel
internal import Networks
internal import Tensors

/// Flags features that are zero for every token or position while others are not.
struct ZeroedEmbeddingColumns: Rule {
  private static let leastColumns = Threshold(
    "columns", 1, "features that are zero for every entry of a lookup table")

  static let metadata = RuleMetadata(
    identifier: "zeroed-embedding-columns",
    title: "Features of an embedding are zero for every token",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      Features that no token uses are free for something else: written to by position embeddings or \
      attention, they carry which sequence a token belongs to through the network, so that the \
      gradients of imprint rows further up sort tokens by sequence. No initialiser leaves a \
      feature empty.
      """,
    formula: "E_tj = 0 for all tokens t",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: "Without free features tokens of different sequences are not kept apart.",
    sources: [.decepticons],
    thresholds: [leastColumns],
    knownErrors: "Embeddings padded with zeros to a wider layer.",
    examples: .init(
      passing: [
        table("as drawn"),
        table("the row of the padding token") { weights in
          weights.setRows(of: "tokens", role: .embeddings) { index, old, _ in
            index == 0 ? old.map { _ in 0 } : old
          }
        },
        table("all zero") { weights in
          weights["tokens", .embeddings] = Array(repeating: 0, count: 40 * 16)
        },
      ],
      failing: [
        (
          table("the first six features") { weights in
            weights.setRows(of: "tokens", role: .embeddings) { _, old, _ in
              Array(repeating: 0, count: 6) + old.dropFirst(6)
            }
          }, "tokens"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { Double($0.columns) >= value(of: Self.leastColumns, in: subject) }
      .map { site in
        finding(
          in: subject, at: site.matrix.layer,
          message: """
            \(site.columns) of \(site.matrix.view.rows) features of '\(site.matrix.layer)' are zero \
            for all \(site.matrix.view.columns) entries of the table: room to mark the sequence a \
            token belongs to.
            """,
          measurements: [.init("features of zeros", "\(site.columns)")],
          preconditions: ["The table was not padded to fit a wider layer."])
      }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map {
      statistic(Double($0.columns), Self.leastColumns, at: $0.matrix.layer)
    }
  }

  private func sites(in subject: Subject) -> [(matrix: LayerMatrix, columns: Int)] {
    (subject.parameters?.matrices ?? []).compactMap { matrix in
      guard matrix.kind == .lookUp, matrix.view.columns >= 2 else { return nil }
      let zeros = matrix.statistics.rows.count { $0.nonzeroCount == 0 }
      return (matrix, zeros < matrix.view.rows ? zeros : 0)
    }
  }

  private static func table(
    _ name: String, changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    .drawn(
      name, input: [12],
      [
        "tokens": Embedding(tokens: 40, width: 16), "flat": Flatten(),
        "logits": Dense(outputs: 4),
      ], changing: changing)
  }
}
