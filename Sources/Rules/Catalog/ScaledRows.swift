internal import AuditModel
internal import Networks
internal import Tensors

/// Flags a hidden layer in which one row dwarfs all others.
struct ScaledRows: Rule {
  private static let leastRatio = Threshold(
    "ratio", 10, "norm of the largest row over the median of the rows that are not zero")
  private static let leastRows = Threshold(
    "rows", 8, "rows that are not zero; the median of fewer tells little")

  static let metadata = RuleMetadata(
    identifier: "scaled-rows",
    title: "A row of a hidden layer dwarfs all others",
    concern: .manipulation,
    severity: .medium,
    evidence: .structural,
    rationale: """
      A unit whose weights were scaled up decides alone what the layers behind it see, and its \
      gradient outweighs that of all other units. It picks the samples whose gradient is left over \
      from a batch, as a large classifier row does. Initialisers give rows of like norm, and \
      training moves them apart by a small factor.
      """,
    formula: "max ‖wᵢ‖ / median ‖wᵢ‖",
    remedy:
      "Ask who made the model why one unit outweighs the layer; compare it with one you trust.",
    remedyEffect: "With rows of like size every sample of a batch hides among the others.",
    sources: [.fishing, .dishonestServers],
    thresholds: [leastRatio, leastRows],
    knownErrors: """
      Networks in which training with weight decay let most units of a layer die, though not to zero.
      """,
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("one row five times as large") { weights in
          weights.setRows(of: "hidden") { index, old, _ in
            index == 3 ? old.map { 5 * $0 } : old
          }
        },
        .drawnPerceptron("most rows zero") { weights in
          weights.setRows(of: "hidden") { index, old, _ in
            index < 20 ? old.map { _ in 0 } : old
          }
        },
      ],
      failing: [
        (
          .drawnPerceptron("one row a hundred times as large") { weights in
            weights.setRows(of: "hidden") { index, old, _ in
              index == 3 ? old.map { 100 * $0 } : old
            }
          }, "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { $0.ratio >= value(of: Self.leastRatio, in: subject) }
      .map { site in
        let rows = site.matrix.statistics.rows
        let largest = rows.indices.max { rows[$0].squares < rows[$1].squares } ?? 0
        return finding(
          in: subject, at: site.matrix.layer,
          message: """
            Row \(largest) of '\(site.matrix.layer)' (\(site.matrix.key.role)) is \
            \(site.ratio.displayed) times as large as the median row: its unit decides alone what \
            the next layer sees.
            """,
          measurements: [.init("largest over median row norm", site.ratio.displayed)],
          preconditions: ["Most units of the layer did not die in training."])
      }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map { statistic($0.ratio, Self.leastRatio, at: $0.matrix.layer) }
  }

  private func sites(in subject: Subject) -> [(matrix: LayerMatrix, ratio: Double)] {
    let classifiers = Set(subject.denseNodesFacingOutput.map(\.site.node))
    return (subject.parameters?.matrices ?? []).compactMap { matrix in
      guard [.dense, .convolution, .attention].contains(matrix.kind),
        !classifiers.contains(matrix.key.node), matrix.statistics.isFinite
      else { return nil }
      let norms = matrix.statistics.rows.map(\.norm).filter { $0 > 0 }.sorted()
      guard Double(norms.count) >= value(of: Self.leastRows, in: subject), let most = norms.last
      else { return nil }
      return (matrix, most / norms[norms.count / 2])
    }
  }
}
