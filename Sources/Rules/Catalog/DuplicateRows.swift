internal import AuditModel
internal import Networks
internal import Tensors

/// Flags rows that are multiples of each other.
struct DuplicateRows: Rule {
  private static let leastRows = Threshold(
    "rows", 2, "rows that are multiples of another (|cos| at least 0.99999)")
  private static let leastSupport = Threshold(
    "support", 8, "entries other than zero in each of them; pruned rows of one entry coincide")
  private static let leastInputs = Threshold(
    "inputs", 16, "inputs of the layer; in few dimensions directions coincide by chance")

  static let metadata = RuleMetadata(
    identifier: "duplicate-rows",
    title: "Rows of a weight are multiples of each other",
    concern: .manipulation,
    severity: .medium,
    evidence: .structural,
    rationale: """
      Units with equal weights see the same thing, so they add nothing to what a network computes. \
      They add to what its gradients tell: units that differ in bias or scale alone switch on at \
      different places, and the differences of their gradients separate the samples of a batch. \
      Initialisers draw every row anew, and training keeps apart what differs.
      """,
    formula: "|⟨wᵢ, wⱼ⟩| = ‖wᵢ‖ ‖wⱼ‖",
    remedy: "Ask who made the model why its rows repeat; compare it with one you trust.",
    remedyEffect: "Distinct rows leave only the leaks of an honest model.",
    sources: [.robbingTheFed, .dishonestServers],
    thresholds: [leastRows, leastSupport, leastInputs],
    knownErrors: """
      Networks that were widened by copying units, or initialised with one constant, repeat rows \
      without an intention.
      """,
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("pruned to one entry a row") { weights in
          weights.setRows(of: "hidden") { _, old, _ in
            [old[0]] + Array(repeating: 0.0, count: 63)
          }
        },
        .drawnPerceptron("rows of zeros") { weights in
          weights["hidden", .weight] = Array(repeating: 0, count: 32 * 64)
        },
      ],
      failing: [
        (
          .drawnPerceptron("three copies, two of them scaled") { weights in
            let row = Array(weights["hidden", .weight].prefix(64))
            weights.setRows(of: "hidden") { index, old, _ in
              index == 9 ? row.map { -2 * $0 } : index == 20 ? row.map { 0.1 * $0 } : old
            }
          }, "hidden"
        )
      ]))

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { Double($0.count) >= value(of: Self.leastRows, in: subject) }
      .map { site in
        finding(
          in: subject, at: site.matrix.layer,
          message: """
            \(site.count) of \(site.matrix.view.rows) rows of '\(site.matrix.layer)' \
            (\(site.matrix.key.role)) are multiples of another one, in \(site.groups) \
            \(site.groups == 1 ? "group" : "groups").
            """,
          measurements: [
            .init("rows that repeat", "\(site.count)"), .init("groups", "\(site.groups)"),
          ],
          preconditions: ["The rows were not copied to widen the network."])
      }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map { statistic(Double($0.count), Self.leastRows, at: $0.matrix.layer) }
  }

  private func sites(
    in subject: Subject
  ) -> [(matrix: LayerMatrix, count: Int, groups: Int)] {
    guard let parameters = subject.parameters else { return [] }
    let support = value(of: Self.leastSupport, in: subject)
    let ladder = Set(
      ImprintSite.all(in: subject, columns: value(of: Self.leastInputs, in: subject))
        .filter { $0.offsets.count >= 8 }.map(\.node))
    return parameters.matrices.compactMap { matrix in
      guard matrix.kind != .lookUp, matrix.kind != .other,
        Double(matrix.view.columns) >= value(of: Self.leastInputs, in: subject),
        !ladder.contains(matrix.key.node)
      else { return nil }
      let rows = matrix.statistics.rows
      let groups = matrix.parallelRows.compactMap { group -> Int? in
        let wide = group.filter { rows[$0].nonzeroCount >= support }
        return Self.repeated(wide, in: matrix)
      }.filter { $0 >= 2 }
      return (matrix, groups.reduce(0, +), groups.count)
    }
  }

  /// How many of nearly parallel rows are multiples of the first of them or of each other.
  private static func repeated(_ rows: [Int], in matrix: LayerMatrix) -> Int {
    guard let first = rows.first else { return 0 }
    let reference = matrix.view.row(first)
    let norms = matrix.statistics.rows
    return 1
      + rows.dropFirst().count { row in
        let product = zip(matrix.view.row(row), reference).reduce(0) { $0 + $1.0 * $1.1 }
        return abs(product) >= 0.99999 * norms[row].norm * norms[first].norm
      }
  }
}
