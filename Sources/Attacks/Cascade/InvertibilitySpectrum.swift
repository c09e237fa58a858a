internal import LinearAlgebra
internal import Networks

/// The singular values of what the gradient equations see of one channel.
struct InvertibilitySpectrum {
  /// Descending, at most as many as there are rows or places.
  let values: [Double]
  let rank: Int
  /// An orthonormal basis of what they do not see, `[places, places − rank]`, where it was wanted
  /// and is affordable.
  let open: DenseMatrix?

  /// Under so many rows or places all singular values are computed exactly; beyond, as square roots
  /// of eigenvalues, to about 3e-8 of the largest.
  private static let decompositionLimit = 512
  /// No basis of open directions is computed beyond so many places.
  static let basisLimit = 2_000
  /// A matrix of more elements is never formed.
  private static let elementLimit = 12_500_000
  /// Nothing with more rows and more places is factored.
  private static let orderLimit = 3_200

  /// About how many multiply-adds the values take.
  static func work(rows: Int, places: Int) -> Double {
    let (least, most) = (Double(min(rows, places)), Double(max(rows, places)))
    return least * least * (most + 9 * least)
  }

  /// - Returns: `nil` if the matrix is too large to be factored.
  /// - Throws: ``CascadeStop`` if a number is not finite.
  init?(
    _ parts: [(rows: GradientRows, group: Int)], places: Int, wantsBasis: Bool, tolerance: Double
  ) throws(CascadeStop) {
    let rows = parts.reduce(0) { $0 + $1.rows.rows }
    let wantsBasis = wantsBasis && places <= Self.basisLimit
    guard min(rows, places) <= Self.orderLimit else { return nil }
    guard rows > 0 else {
      (values, rank) = ([], 0)
      open = wantsBasis ? .identity(places) : nil
      return
    }
    do throws(LinearAlgebraError) {
      if rows < places, !wantsBasis, parts.allSatisfy({ $0.rows.mixing == nil }) {
        let found = try SymmetricEigen(GradientRows.rowGram(parts)).values
        values = found.reversed().map { max($0, 0).squareRoot() }
        rank = Self.rank(values, tolerance)
        open = nil
        return
      }
      guard rows * places <= Self.elementLimit || places <= Self.basisLimit else { return nil }
      var matrix = parts[0].rows.matrix(group: parts[0].group)
      for (part, group) in parts.dropFirst() {
        matrix = matrix.stacked(on: part.matrix(group: group))
      }
      if min(rows, places) <= Self.decompositionLimit {
        if rows > 2 * places { matrix = try QRDecomposition(matrix).r }
        let factors = try SingularValueDecomposition(matrix)
        values = factors.values
        rank = Self.rank(values, tolerance)
        open = wantsBasis ? factors.nullSpace(relativeTolerance: tolerance) : nil
      } else {
        let isRowWise = rows < places && !wantsBasis
        let factors = try SymmetricEigen((isRowWise ? matrix.transposed : matrix).gram())
        values = factors.values.reversed().map { max($0, 0).squareRoot() }
        rank = Self.rank(values, tolerance)
        open = wantsBasis ? factors.vectors.columns(0..<places - rank) : nil
      }
    } catch {
      throw CascadeStop("the equations cannot be factored: \(error)")
    }
  }

  private static func rank(_ values: [Double], _ tolerance: Double) -> Int {
    guard let largest = values.first, largest > 0 else { return 0 }
    return values.count { $0 > tolerance * largest }
  }

  /// `Σ 1/σ²` over what is seen: the summed variance of a channel for rows of variance 1.
  var variance: Double { values.prefix(rank).reduce(0) { $0 + 1 / ($1 * $1) } }
}
