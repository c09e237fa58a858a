internal import AuditModel
internal import Networks
internal import Tensors

/// Flags rows whose positive entries repeat the magnitudes of their negative ones, slightly smaller.
struct TrapWeights: Rule {
  private static let leastRows = Threshold(
    "rows", 4, "rows with as many positive as negative entries of proportional magnitudes")
  private static let mostDeviation = Threshold(
    "deviation", 1e-3,
    "misfit of the sorted magnitudes of both signs to one ratio, over the spread of the magnitudes")
  private static let leastInputs = Threshold(
    "inputs", 16, "entries of a row; short rows are balanced by chance")

  static let metadata = RuleMetadata(
    identifier: "trap-weights",
    title: "Positive and negative weights of a row have proportional magnitudes",
    concern: .manipulation,
    severity: .high,
    evidence: .structural,
    rationale: """
      Rows whose negative half is slightly larger than the positive half, entry by entry, and \
      whose bias is zero make units that nearly every input leaves off. A unit that is on for one \
      sample of a batch alone has that sample as its gradient: from batches of 100 such rows gave \
      away about half of all samples, against 5 to 26 % as initialised. An initialiser draws both \
      signs independently, so the sorted magnitudes differ by several per cent.
      """,
    formula: "sort(w⁺) = s · sort(|w⁻|) with s about 0.95, b = 0",
    remedy: "Do not compute gradients of this model; ask who made it for the original.",
    remedyEffect: """
      As initialised, fewer samples have a unit of their own; single samples stay exact.
      """,
    sources: [.curious],
    thresholds: [leastRows, mostDeviation, leastInputs],
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("signs balanced, magnitudes drawn apart") { weights in
          weights.setRows(of: "hidden") { _, old, _ in
            old.enumerated().map { $0.offset < 32 ? abs($0.element) : -abs($0.element) }
          }
        },
        .drawnPerceptron("few rows") { weights in
          weights.setRows(of: "hidden") { $0 < 2 ? Self.trap(of: $1, ratio: 0.95, &$2) : $1 }
        },
      ],
      failing: [
        (
          .drawnPerceptron("every row") { weights in
            weights.setRows(of: "hidden") { Self.trap(of: $1, ratio: 0.95, &$2) }
          }, "hidden"
        ),
        (
          .drawnPerceptron("a quarter of the rows") { weights in
            weights.setRows(of: "hidden") {
              $0 < 8 ? Self.trap(of: $1, ratio: 0.99, &$2) : $1
            }
          }, "hidden"
        ),
      ]))

  /// One layer's rows of the pattern, and the median ratio of their halves.
  private struct Site {
    var matrix: LayerMatrix
    var rows: [Int]
    var ratio: Double
  }

  func findings(in subject: Subject) -> [Finding] {
    sites(in: subject)
      .filter { Double($0.rows.count) >= value(of: Self.leastRows, in: subject) }
      .map { site in
        let bias = subject.parameters?.elements(site.matrix.key.node, .bias)
        let isUnbiased = site.rows.allSatisfy { row in
          bias.map { !$0.indices.contains(row) || $0[row] == 0 } ?? true
        }
        return finding(
          in: subject, at: site.matrix.layer,
          message: """
            In \(site.rows.count) of \(site.matrix.view.rows) rows of '\(site.matrix.layer)' the \
            positive half repeats the magnitudes of the negative half, \(site.ratio.displayed) \
            times as large\(isUnbiased ? ", and their biases are zero" : ""): units that few \
            samples switch on, each of which discloses the one that does.
            """,
          measurements: [
            .init("rows of the pattern", "\(site.rows.count)"),
            .init("ratio of the halves", site.ratio.displayed),
          ],
          preconditions: [
            "A gradient or an update of this model is seen.",
            "The inputs of the layer are mostly of one sign, as pixels or ReLU features are.",
          ])
      }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    sites(in: subject).map {
      statistic(Double($0.rows.count), Self.leastRows, at: $0.matrix.layer)
    }
  }

  private func sites(in subject: Subject) -> [Site] {
    let columns = value(of: Self.leastInputs, in: subject)
    let stated = value(of: Self.mostDeviation, in: subject)
    return (subject.parameters?.matrices ?? []).compactMap { matrix in
      guard matrix.kind == .dense || matrix.kind == .convolution || matrix.kind == .attention,
        Double(matrix.view.columns) >= columns
      else { return nil }
      // Stored coarsely, equal magnitudes differ by as much.
      let limit = max(stated, 2 * matrix.view.tensor.kind.unitRoundoff)
      let rows = matrix.statistics.rows
      var found: [(row: Int, ratio: Double)] = []
      for (index, row) in rows.enumerated()
      where row.nonzeroCount >= columns
        && abs(2 * row.positiveCount - row.nonzeroCount) <= 1
      {
        guard let ratio = Self.ratio(of: matrix.view.row(index), limit: limit) else { continue }
        found.append((index, ratio))
      }
      let ratios = found.map(\.ratio).sorted()
      return Site(
        matrix: matrix, rows: found.map(\.row),
        ratio: ratios.isEmpty ? 0 : ratios[ratios.count / 2])
    }
  }

  /// The factor between the sorted magnitudes of both signs, if there is one between 1/2 and 1.
  ///
  /// The misfit is measured against the spread: what pruning leaves has nearly one magnitude.
  private static func ratio(of row: [Double], limit: Double) -> Double? {
    let positive = row.filter { $0 > 0 }.sorted(by: >)
    let negative = row.filter { $0 < 0 }.map { -$0 }.sorted(by: >)
    let count = min(positive.count, negative.count)
    guard count > 0 else { return nil }
    let mean = negative.prefix(count).reduce(0, +) / Double(count)
    var (product, square, energy, spread) = (0.0, 0.0, 0.0, 0.0)
    for (p, n) in zip(positive, negative) {
      product += p * n
      square += n * n
      energy += p * p
      spread += (n - mean) * (n - mean)
    }
    guard square > 0, spread > 0 else { return nil }
    let ratio = product / square
    let missed = max(energy - ratio * product, 0)
    guard ratio > 0.5, ratio < 0.9999, missed <= limit * limit * spread else { return nil }
    return ratio
  }

  /// A row as the source builds it: half the places at random negative, the rest their magnitudes
  /// times `ratio`.
  private static func trap(
    of old: [Double], ratio: Double, _ random: inout SplitMix64
  ) -> [Double] {
    let magnitudes = old.prefix(old.count / 2).map { abs($0) }
    return (magnitudes.map { -$0 } + magnitudes.map { ratio * $0 }).shuffled(using: &random)
  }
}
