internal import LinearAlgebra
internal import Networks

extension InvertibilityOpen {
  /// Directions beyond which only full rank is recognised.
  private static let eigenLimit = 2_000

  /// Finds the rank of the equations added so far.
  ///
  /// - Parameter tolerance: Singular values below this share of the largest count as zero.
  /// - Throws: ``CascadeStop`` if a number is not finite.
  mutating func measure(_ tolerance: Double) throws(CascadeStop) {
    let matrix = DenseMatrix(rows: count, columns: count, elements: gram)
    if count <= Self.eigenLimit {
      do throws(LinearAlgebraError) {
        let values = try SymmetricEigen(matrix).values
        let least = tolerance * tolerance * (values.last ?? 0)
        let found = values.count { $0 > least && $0 > 0 }
        rank = found
        variance = found == count ? values.reduce(0) { $0 + 1 / $1 } : 0
      } catch {
        throw CascadeStop("the equations cannot be factored: \(error)")
      }
      return
    }
    // Full rank shows in a factorisation; how much is missing otherwise would take too long.
    rank = nil
    guard let factor = CholeskyDecomposition(matrix) else { return }
    let inverse = factor.inverse()
    let trace = (0..<count).reduce(0.0) { $0 + inverse[$1, $1] }
    let largest = Self.largestEigenvalue(matrix)
    guard 1 / Self.largestEigenvalue(inverse) > tolerance * tolerance * largest else { return }
    rank = count
    variance = trace
  }

  /// By power iteration, from below, to a few per cent.
  private static func largestEigenvalue(_ matrix: DenseMatrix) -> Double {
    var generator = SplitMix64(seed: 29)
    var vector = (0..<matrix.columns).map { _ in generator.normal() }
    var value = 0.0
    for _ in 0..<30 {
      let norm = vector.euclideanNorm
      guard norm > 0, norm.isFinite else { return .infinity }
      vector = matrix(vector.map { $0 / norm })
      value = vector.euclideanNorm
    }
    return value
  }
}
