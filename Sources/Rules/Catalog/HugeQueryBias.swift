internal import AuditModel
internal import Networks
internal import Tensors

/// Flags units with no weights and a bias far beyond what training gives, such as fixed queries.
struct HugeQueryBias: Rule {
  private static let leastBias = Threshold(
    "bias", 100, "largest magnitude of the bias of a unit whose weights are all zero")

  static let metadata = RuleMetadata(
    identifier: "huge-query-bias",
    title: "Units without weights have a huge bias",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      A query that ignores its input and is huge makes attention look at one position alone: behind \
      identity keys, every token of a sequence receives the first one. That marks each token with \
      the sequence it belongs to, and imprint rows further up sort by it. Trained networks do not \
      drive weights to exact zero and their bias to hundreds.
      """,
    formula: "W_q = 0, |b_q| ≥ 100, W_k = I",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: "Attention that depends on its input does not mark sequences.",
    sources: [.decepticons],
    thresholds: [leastBias],
    examples: .init(
      passing: [
        attention("as drawn"),
        attention("identity keys alone") { weights in
          weights.setRows(of: "attention", role: .other("in_proj_weight")) { index, old, _ in
            (16..<32).contains(index) ? old.indices.map { $0 == index - 16 ? 1 : 0 } : old
          }
        },
        .drawnPerceptron("zero weights, biases of 0.1") { weights in
          weights["hidden", .weight] = Array(repeating: 0, count: 32 * 64)
        },
      ],
      failing: [
        (
          attention("fixed query, identity keys") { weights in
            weights.setRows(of: "attention", role: .other("in_proj_weight")) { index, old, _ in
              index < 16
                ? old.map { _ in 0 }
                : index < 32 ? old.indices.map { $0 == index - 16 ? 1 : 0 } : old
            }
            weights["attention", .other("in_proj_bias")] = (0..<48).map { $0 < 16 ? 1e8 : 0 }
          }, "attention"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { $0.bias >= value(of: Self.leastBias, in: subject) }
      .map { site in
        let keys = site.identities > 0 ? "; \(site.identities) rows are those of an identity" : ""
        return finding(
          in: subject, at: site.matrix.layer,
          message: """
            \(site.zeros) of \(site.matrix.view.rows) units of '\(site.matrix.layer)' \
            (\(site.matrix.key.role)) have no weights and biases of up to \
            \(site.bias.displayed)\(keys): what they compute does not depend on the input.
            """,
          measurements: [
            .init("largest bias", site.bias.displayed), .init("units of zeros", "\(site.zeros)"),
            .init("rows of an identity", "\(site.identities)"),
          ],
          preconditions: ["A gradient or an update of this model is seen."])
      }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map { statistic($0.bias, Self.leastBias, at: $0.matrix.layer) }
  }

  private func sites(
    in subject: Subject
  ) -> [(matrix: LayerMatrix, bias: Double, zeros: Int, identities: Int)] {
    guard let parameters = subject.parameters else { return [] }
    let classifiers = Set(subject.denseNodesFacingOutput.map(\.site.node))
    return parameters.matrices.compactMap { matrix in
      guard [.dense, .attention, .other].contains(matrix.kind),
        !classifiers.contains(matrix.key.node),
        let bias = parameters.elements(matrix.key.node, Self.biasRole(of: matrix.key.role)),
        bias.count == matrix.view.rows
      else { return nil }
      let rows = matrix.statistics.rows
      let zeros = rows.indices.filter { rows[$0].nonzeroCount == 0 }
      let identities = rows.count { $0.nonzeroCount == 1 && $0.sum == 1 }
      return (matrix, zeros.map { abs(bias[$0]) }.max() ?? 0, zeros.count, identities)
    }
  }

  /// `query_bias` for `query_weight`, and so on.
  private static func biasRole(of role: ParameterRole) -> ParameterRole {
    guard case .other(let name) = role, name.hasSuffix("weight") else { return .bias }
    return .other(name.dropLast("weight".count) + "bias")
  }

  private static func attention(
    _ name: String, changing: (inout ExampleWeights) -> Void = { _ in }
  ) -> Subject {
    .drawn(
      name, input: [5, 16],
      [
        "attention": Attention(heads: 2, keyWidth: 8, projection: .packed), "flat": Flatten(),
        "logits": Dense(outputs: 4),
      ], changing: changing)
  }
}
