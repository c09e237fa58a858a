import LinearAlgebra

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Uniform in −1..<1.
  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1
  }

  mutating func vector(_ count: Int) -> [Double] { (0..<count).map { _ in next() } }

  mutating func matrix(_ rows: Int, _ columns: Int) -> DenseMatrix {
    DenseMatrix(rows: rows, columns: columns, elements: vector(rows * columns))
  }

  /// A matrix of this rank whose singular values fall geometrically to 1 / `condition`.
  mutating func matrix(
    _ rows: Int, _ columns: Int, rank: Int, condition: Double
  ) throws -> DenseMatrix {
    var left = try QRDecomposition(matrix(rows, rank)).q
    let right = try QRDecomposition(matrix(columns, rank)).q
    for c in 0..<rank {
      let value = condition.power(-Double(c) / Double(max(rank - 1, 1)))
      for r in 0..<rows { left[r, c] *= value }
    }
    return left.timesTranspose(right)
  }
}

extension Double {
  /// `self` to a power, by repeated square roots: enough for test matrices.
  fileprivate func power(_ exponent: Double) -> Double {
    guard exponent >= 0 else { return 1 / power(-exponent) }
    var (result, root, rest) = (1.0, self, exponent)
    for _ in 0..<40 {
      if rest >= 1 {
        result *= root
        rest -= 1
      }
      root = root.squareRoot()
      rest *= 2
    }
    return result
  }
}

/// The largest difference between two matrices of one shape.
func distance(_ a: DenseMatrix, _ b: DenseMatrix) -> Double {
  guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
  return distance(a.elements, b.elements)
}

func distance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference <= largest ? largest : difference.isNaN ? .infinity : difference
  }
}
