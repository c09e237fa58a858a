internal import AuditModel
internal import Networks
internal import Tensors

/// Recovers the input of a biased dense layer from a sparsified gradient of one sample.
///
/// Entries that were zeroed say little, but those that were kept still satisfy `W̄ᵢⱼ = z̄ᵢ xⱼ`. Rows
/// whose bias gradient survived give their columns' inputs; those inputs give the other rows; and so
/// on, as least squares over the kept entries. An input value none of whose entries was kept is
/// small: at most the largest dropped magnitude divided by the largest `|z̄ᵢ|`.
///
/// - Exact when: one sample, and the kept entries connect the rows (the residual says so).
struct SparseGradientCompletion: AnalyticAttack {
  static let metadata = AttackMetadata(
    identifier: "sparse-gradient-completion",
    title: "A sparsified dense gradient still determines its largest inputs",
    claim: "The kept entries of a sparsified gradient determine the inputs they belong to.",
    formula: "xⱼ = Σᵢ z̄ᵢ W̄ᵢⱼ / Σᵢ z̄ᵢ² over the kept entries",
    conditions: [
      "One sample, zeroed entries (top-k or random), at least one kept bias entry."
    ],
    sources: [.invertingGradients],
    remedy: """
      Do not rely on sparsification for privacy: add clipping and noise, or aggregate securely.
      """,
    remedyEffect: "Noise turns the exact values into estimates with an error of about σ/‖b̄‖.")

  /// Larger layers would take seconds here; they are reported as not examined for sparsity.
  private static let entryLimit = 1 << 24

  func run(on observation: Observation, knowing knowledge: inout Knowledge) {
    for node in observation.denseNodes where !knowledge.isSettled(node) {
      guard let matrix = observation.gradient.matrix(node), matrix.tensor.count <= Self.entryLimit,
        let bias = observation.gradient.bias(node), bias.count == matrix.outputs
      else { continue }
      let zeros = matrix.tensor.summary().zeroCount
      guard zeros * 4 > matrix.tensor.count,
        let completion = Completion(
          matrix, bias, tolerance: 16 * matrix.tensor.resolution.unitRoundoff)
      else { continue }
      knowledge.recoveries[node] = recovery(node, completion, matrix, zeros, observation)
    }
  }

  private func recovery(
    _ node: Int, _ completion: Completion, _ matrix: Matrix, _ zeros: Int,
    _ observation: Observation
  ) -> Knowledge.Recovery {
    let determined = completion.isDetermined.count { $0 }
    let strength = completion.rows.norm
    return Knowledge.Recovery(
      node: node, samples: [completion.input],
      isDetermined: determined == matrix.inputs ? nil : completion.isDetermined,
      outputGradient: completion.rows, labels: [nil], certificates: [completion.residual],
      scope: "the kept entries of the layer's gradient",
      isProven: observation.separatesSamples(at: node),
      predictedError: observation.roundingError(node, .weight) / max(strength, 1e-300),
      method: Self.metadata.identifier,
      measurements: [
        .init("entries kept", "\(matrix.tensor.count - zeros) of \(matrix.tensor.count)"),
        .init("input values determined", "\(determined) of \(matrix.inputs)"),
        .init("bound on the other values", completion.bound.displayed),
      ],
      preconditions: ["Zero entries were dropped, not computed as zero."])
  }
}

/// Alternating least squares over the non-zero entries, from the rows with a known bias gradient.
private struct Completion {
  var rows: [Double]
  var input: [Double]
  var isDetermined: [Bool]
  /// Relative residual over the entries whose row and column are known.
  var residual: Double
  /// The largest magnitude an undetermined input value can have.
  var bound: Double

  init?(_ matrix: Matrix, _ bias: [Double], tolerance: Double) {
    let entries = (0..<matrix.outputs).map { row in
      (0..<matrix.inputs).compactMap { column -> (Int, Double)? in
        let value = matrix[row, column]
        return value != 0 ? (column, value) : nil
      }
    }
    var rows = bias
    var input = [Double](repeating: 0, count: matrix.inputs)
    var isKnownRow = bias.map { $0 != 0 }
    var isKnown = [Bool](repeating: false, count: matrix.inputs)
    for _ in 0..<32 {
      let before = isKnownRow.count { $0 } + isKnown.count { $0 }
      Self.solveColumns(entries, rows, isKnownRow, &input, &isKnown)
      for row in rows.indices where bias[row] == 0 {
        let known = entries[row].filter { isKnown[$0.0] }
        let weight = known.reduce(0) { $0 + input[$1.0] * input[$1.0] }
        guard weight > 0 else { continue }
        rows[row] = known.reduce(0) { $0 + input[$1.0] * $1.1 } / weight
        isKnownRow[row] = true
      }
      if isKnownRow.count(where: { $0 }) + isKnown.count(where: { $0 }) == before { break }
    }
    var missed = 0.0, total = 0.0, used = 0
    for row in rows.indices where isKnownRow[row] {
      for (column, value) in entries[row] where isKnown[column] {
        let gap = value - rows[row] * input[column]
        (missed, total, used) = (missed + gap * gap, total + value * value, used + 1)
      }
    }
    (self.rows, self.input, isDetermined) = (rows, input, isKnown)
    residual = total > 0 ? (missed / total).squareRoot() : 1
    let smallest = entries.joined().reduce(Double.infinity) { min($0, abs($1.1)) }
    bound = smallest / rows.reduce(1e-300) { max($0, abs($1)) }
    let unknowns = isKnown.count { $0 } + isKnownRow.count { $0 }
    // So many equations more than unknowns that the fit could have failed: two kept rows give them.
    guard residual <= tolerance, used - unknowns >= max(16, unknowns / 4) else { return nil }
  }

  private static func solveColumns(
    _ entries: [[(Int, Double)]], _ rows: [Double], _ isKnownRow: [Bool],
    _ input: inout [Double], _ isKnown: inout [Bool]
  ) {
    var numerator = [Double](repeating: 0, count: input.count)
    var denominator = numerator
    for row in rows.indices where isKnownRow[row] {
      for (column, value) in entries[row] {
        numerator[column] += rows[row] * value
        denominator[column] += rows[row] * rows[row]
      }
    }
    for column in input.indices where denominator[column] > 0 {
      input[column] = numerator[column] / denominator[column]
      isKnown[column] = true
    }
  }
}
