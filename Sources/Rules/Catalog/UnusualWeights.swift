internal import AuditModel
internal import Networks
internal import Tensors

/// Flags weights that neither an initialiser nor training gives.
struct UnusualWeights: Rule {
  private static let leastKurtosis = Threshold(
    "least-kurtosis", 1.5,
    "fourth moment over the squared second, of entries other than zero; 1.8 if uniform, 3 if normal"
  )
  private static let mostKurtosis = Threshold(
    "most-kurtosis", 1_000, "the same, for weights of which few dwarf all others")
  private static let mostScale = Threshold(
    "scale", 50, "root-mean-square weight times the root of the inputs; 1.4 after He et al.")
  private static let mostZeros = Threshold(
    "zeros", 0.1,
    "share of zeros up to which the least kurtosis counts; pruning leaves one magnitude")
  private static let leastEntries = Threshold(
    "entries", 512, "entries other than zero; moments of fewer scatter")

  static let metadata = RuleMetadata(
    identifier: "unusual-weights",
    title: "Weights have a distribution that no initialiser or training gives",
    concern: .manipulation,
    severity: .low,
    evidence: .empirical,
    rationale: """
      Initialisers draw from uniform, normal or orthogonal laws of a scale set by the number of \
      inputs, and training makes tails heavier and little else. Weights of one magnitude, weights \
      that few entries dominate and weights that are far too large were put there by hand, for \
      whatever purpose.
      """,
    formula: "κ = N Σ w⁴ / (Σ w²)²",
    remedy: "Ask who made the model how these weights came about.",
    remedyEffect: "An explanation, or the original weights.",
    sources: [.initialisers],
    thresholds: [leastKurtosis, mostKurtosis, mostScale, mostZeros, leastEntries],
    knownErrors: "Binary and ternary networks, and fixed filters such as wavelets.",
    examples: .init(
      passing: [
        .drawnPerceptron("as drawn"),
        .drawnPerceptron("pruned to a tenth") { weights in
          weights["hidden", .weight] = weights["hidden", .weight].map {
            abs($0) < 0.1125 ? 0 : $0
          }
        },
      ],
      failing: [
        (
          .drawnPerceptron("one magnitude") { weights in
            weights["hidden", .weight] = weights["hidden", .weight].map { $0 < 0 ? -0.1 : 0.1 }
          }, "hidden"
        ),
        (
          .drawnPerceptron("far too large") { weights in
            weights["hidden", .weight] = weights["hidden", .weight].map { 1_000 * $0 }
          }, "hidden"
        ),
        (
          .drawnPerceptron("one entry dwarfs the rest") { weights in
            weights["hidden", .weight][11] = 300
          }, "hidden"
        ),
      ]))

  /// The moments of one weight.
  private struct Moments {
    var matrix: LayerMatrix
    var count: Double
    var kurtosis: Double
    var scale: Double
  }

  func findings(in subject: Subject) -> [Finding] {
    moments(in: subject).compactMap { moments in
      var oddities: [String] = []
      let isPruned =
        moments.count
        < (1 - value(of: Self.mostZeros, in: subject)) * Double(moments.matrix.view.tensor.count)
      if moments.kurtosis < value(of: Self.leastKurtosis, in: subject), !isPruned {
        oddities.append("their magnitudes are nearly all the same")
      }
      if moments.kurtosis > value(of: Self.mostKurtosis, in: subject) {
        oddities.append("few of them dwarf all others")
      }
      if moments.scale > value(of: Self.mostScale, in: subject) {
        oddities.append("they are far too large for the number of inputs")
      }
      guard !oddities.isEmpty else { return nil }
      return finding(
        in: subject, at: moments.matrix.layer,
        message: """
          The \(Int(moments.count)) weights of '\(moments.matrix.layer)' \
          (\(moments.matrix.key.role)) look like no initialiser's or training's: \
          \(oddities.joined(separator: ", and ")).
          """,
        measurements: [
          .init("kurtosis", moments.kurtosis.displayed),
          .init("root-mean-square weight times √inputs", moments.scale.displayed),
        ],
        preconditions: ["The weights are not binary, ternary or fixed by design."])
    }
  }

  func statistics(in subject: Subject) -> [Statistic] {
    moments(in: subject).flatMap { moments in
      [
        statistic(moments.kurtosis, Self.leastKurtosis, at: moments.matrix.layer),
        statistic(moments.kurtosis, Self.mostKurtosis, at: moments.matrix.layer),
        statistic(moments.scale, Self.mostScale, at: moments.matrix.layer),
      ]
    }
  }

  private func moments(in subject: Subject) -> [Moments] {
    (subject.parameters?.matrices ?? []).compactMap { matrix in
      guard matrix.kind != .lookUp else { return nil }
      let statistics = matrix.statistics
      let count = statistics.rows.reduce(0) { $0 + $1.nonzeroCount }
      let squares = statistics.rows.reduce(0) { $0 + $1.squares }
      let fourths = statistics.rows.reduce(0) { $0 + $1.fourthPowers }
      guard count >= value(of: Self.leastEntries, in: subject), squares > 0, fourths.isFinite,
        fourths > 0
      else { return nil }
      return Moments(
        matrix: matrix, count: count, kurtosis: count * fourths / (squares * squares),
        // Of kernels that act on channels one by one, the columns are no inputs of a unit.
        scale: matrix.kind == .other
          ? 0 : (squares / count * Double(matrix.view.columns)).squareRoot())
    }
  }
}
