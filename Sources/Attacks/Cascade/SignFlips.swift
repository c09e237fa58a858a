#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Which few entries on the wrong side of a kink explain a missing sum.
enum SignFlips {
  struct Candidate {
    var entry: Int
    /// What the sum gains if the entry changes sides.
    var change: Double
    /// Its distance from the kink in standard errors.
    var doubt: Double
  }

  /// No more entries than these nearest ones are tried.
  static let candidateLimit = 24
  /// Three at a time are sought among so many.
  private static let tripleLimit = 16

  /// One, two or three entries whose changes add up to what is missing.
  ///
  /// Among hundreds of combinations some fit by chance. So the most probable one is taken: what it leaves
  /// counts as a normal error of a quarter of the tolerance, the doubts as normal too, and each entry
  /// for the choice among all. No change at all takes part, and more changes than are tried, which
  /// may add up to anything.
  ///
  /// - Parameters:
  ///   - missing: What is missing in the sum.
  ///   - tolerance: How exactly it is known.
  ///   - candidates: Nearest to the kink first.
  /// - Returns: The entries to change; `nil` if none explain it.
  static func likeliest(
    explaining missing: Double, within tolerance: Double, among candidates: [Candidate]
  ) -> [Int]? {
    func surprise(_ left: Double) -> Double { 8 * (left / tolerance) * (left / tolerance) }
    // All in units of −log probability.
    let choice = log(Double(max(candidates.count, 1)))
    let range = candidates.reduce(0) { $0 + $1.change * $1.change }.squareRoot()
    let anything =
      log(max(range / tolerance, 1) * 4 / (2 * Double.pi).squareRoot())
      + candidates.prefix(4).reduce(0) { $0 + $1.doubt * $1.doubt / 2 }
    var best: (entries: [Int], cost: Double) = ([], min(surprise(missing), anything))
    func consider(_ chosen: [Candidate]) {
      let left = chosen.reduce(missing) { $0 - $1.change }
      guard abs(left) <= tolerance else { return }
      let cost = chosen.reduce(surprise(left)) { $0 + $1.doubt * $1.doubt / 2 + choice }
      if cost < best.cost { best = (chosen.map(\.entry), cost) }
    }
    for (first, one) in candidates.enumerated() {
      consider([one])
      for (second, other) in candidates.enumerated().dropFirst(first + 1) {
        consider([one, other])
        guard second < tripleLimit else { continue }
        for third in candidates[(second + 1)...].prefix(max(0, tripleLimit - second - 1)) {
          consider([one, other, third])
        }
      }
    }
    return best.entries.isEmpty ? nil : best.entries
  }
}
