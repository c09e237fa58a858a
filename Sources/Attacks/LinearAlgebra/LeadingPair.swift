internal import Networks
internal import Tensors

/// The best rank-one approximation of a matrix, `A ≈ u vᵀ` with `‖v‖ = 1`.
struct LeadingPair {
  /// Shape `[outputs]`; carries the singular value.
  var left: [Double]
  /// Shape `[inputs]`, of norm 1.
  var right: [Double]

  /// Alternates `u = A v` and `v = Aᵀu / ‖Aᵀu‖` from the strongest row.
  ///
  /// - Complexity: two products with the matrix per step; rank one needs one step.
  init?(of matrix: Matrix, steps: Int = 60) {
    guard var v = (matrix.transposeProduct(matrix(Self.start(matrix.inputs)))).normalized else {
      return nil
    }
    var u = matrix(v)
    for _ in 0..<steps {
      guard let next = matrix.transposeProduct(u).normalized else { return nil }
      let change = zip(next, v).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      v = next
      u = matrix(v)
      if change < 1e-28 { break }
    }
    (left, right) = (u, v)
  }

  /// A fixed direction with no symmetry that a real gradient could be orthogonal to.
  private static func start(_ count: Int) -> [Double] {
    var generator = SplitMix64(seed: 0x1eac)
    return (0..<count).map { _ in generator.nextUniform() }
  }
}

extension [Double] {
  /// The Euclidean norm, scaled against underflow.
  var norm: Double {
    let peak = reduce(0) { Swift.max($0, abs($1)) }
    guard peak > 0, peak.isFinite else { return peak }
    return peak * reduce(0) { $0 + ($1 / peak) * ($1 / peak) }.squareRoot()
  }

  /// The vector divided by its norm; `nil` for the zero vector and for non-finite entries.
  var normalized: [Double]? {
    let norm = norm
    guard norm > 0, norm.isFinite else { return nil }
    return map { $0 / norm }
  }

  /// `Σ aᵢ bᵢ`.
  func dot(_ other: [Double]) -> Double { zip(self, other).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Root mean square of the entries.
  var rootMeanSquare: Double { isEmpty ? 0 : norm / Double(count).squareRoot() }
}

extension SplitMix64 {
  /// A number in [−1, 1).
  mutating func nextUniform() -> Double { Double(Int64(bitPattern: next())) * 0x1p-63 }
}
