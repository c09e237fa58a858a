internal import LinearAlgebra

/// The positions of a map of which some carry no gradient, found outwards from a corner.
///
/// A position that never wins a max pooling leaves no trace in `Q`, so a walk from neighbour to
/// neighbour would stumble over it. Instead the input is filled in: from the values that are known so
/// far, every position's vector is solved for, and the one that fits best is taken next, until there
/// are as many as the rank of `Q`. What the fit to `Q` then leaves over tells whether that was right.
struct PatchGrowth {
  /// The positions with a gradient, ascending.
  let active: [Int]
  /// A vector for each of them.
  let places: DenseMatrix

  /// A position whose vector was solved for.
  private struct Candidate {
    let taps: [Int]
    let vector: [Double]
    /// The part of the known taps that no vector explains, relative and per degree of freedom, or
    /// the error that noise makes in the vector, if that is larger.
    let misfit: Double
  }

  /// - Returns: `nil` if too little is known anywhere before all positions are found.
  /// - Throws: what a decomposition throws.
  init?(
    _ space: PatchSpace, from corner: PatchWalk.Corner, start: [Double]
  ) throws(PatchWalkFailure) {
    let map = space.map
    var filling = Filling(space)
    var vectors: [Int: [Double]] = [:]
    var candidates: [Int: Candidate] = [:]
    var next = (corner.position(0, 0), start)
    while true {
      vectors[next.0] = next.1
      candidates[next.0] = nil
      guard vectors.count < space.rank else { break }
      filling.fill(position: next.0, vector: next.1)
      for position in 0..<map.positions where vectors[position] == nil {
        let taps = filling.knownTaps(position)
        guard candidates[position]?.taps != taps,
          let solved = try filling.solve(position, taps)
        else { continue }
        candidates[position] = Candidate(taps: taps, vector: solved.vector, misfit: solved.misfit)
      }
      // Ties go to the first position, so that equal input gives equal bits.
      let best = candidates.min { ($0.value.misfit, $0.key) < ($1.value.misfit, $1.key) }
      guard let best else { return nil }
      next = (best.key, best.value.vector)
    }
    active = vectors.keys.sorted()
    let columns = active.flatMap { vectors[$0] ?? [] }
    places = DenseMatrix(rows: space.rank, columns: active.count, elements: columns).transposed
  }
}

/// The input as far as it is known.
private struct Filling {
  private let space: PatchSpace
  private let reads: [[Int?]]
  private var sums: [[Double]]
  private var times: [Double]
  /// By taps.
  private var decompositions: [[Int]: (qr: QRDecomposition, weakest: Double)] = [:]

  init(_ space: PatchSpace) {
    self.space = space
    reads = space.map.reads
    let count = space.map.inputExtents.reduce(1, *)
    sums = Array(repeating: Array(repeating: 0, count: space.map.inputs), count: count)
    times = Array(repeating: 0, count: count)
  }

  /// Takes over what the position's patch holds; known values become means.
  mutating func fill(position: Int, vector: [Double]) {
    let patch = space.window.transposeProduct(vector)
    let inputs = space.map.inputs
    for (tap, indices) in reads.enumerated() {
      guard let index = indices[position] else { continue }
      sums[index].add(1, times: Array(patch[tap * inputs..<(tap + 1) * inputs]))
      times[index] += 1
    }
  }

  /// The taps that read padding or something known; empty where all is padding.
  func knownTaps(_ position: Int) -> [Int] {
    let known = reads.indices.filter { tap in
      reads[tap][position].map { times[$0] > 0 } ?? true
    }
    return known.contains { reads[$0][position] != nil } ? known : []
  }

  /// The vector that explains the known taps best.
  ///
  /// - Returns: `nil` where they are hardly more than the unknowns.
  mutating func solve(
    _ position: Int, _ taps: [Int]
  ) throws(PatchWalkFailure) -> (vector: [Double], misfit: Double)? {
    let (inputs, rank) = (space.map.inputs, space.rank)
    let equations = Double(taps.count * inputs)
    guard equations >= 1.2 * Double(rank) else { return nil }
    let target = taps.flatMap { tap in
      reads[tap][position].map { index in sums[index].map { $0 / times[index] } }
        ?? Array(repeating: 0, count: inputs)
    }
    let (qr, weakest) = try decomposition(taps)
    let vector = qr.solve(target)
    guard vector.allSatisfy(\.isFinite) else { return nil }
    let rest = Array(qr.reflectTransposed(target)[rank...]).euclideanNorm
    let freedom = (equations / (equations - Double(rank))).squareRoot()
    let misfit = rest / max(target.euclideanNorm, .leastNormalMagnitude) * freedom
    // Known taps may all be padding for another position, whose vector then comes in at will.
    let uncertainty = space.noise * equations.squareRoot() / max(weakest, .leastNormalMagnitude)
    return (vector, max(misfit, uncertainty))
  }

  /// A decomposition of what these taps see, and its smallest singular value.
  private mutating func decomposition(
    _ taps: [Int]
  ) throws(PatchWalkFailure) -> (qr: QRDecomposition, weakest: Double) {
    if let known = decompositions[taps] { return known }
    let matrix = space.columns(taps).transposed
    let made = try PatchWalkFailure.algebra { () throws(LinearAlgebraError) in
      let qr = try QRDecomposition(matrix)
      return (qr: qr, weakest: try SingularValueDecomposition(qr.r).values[space.rank - 1])
    }
    decompositions[taps] = made
    return made
  }
}
