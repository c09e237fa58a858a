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

  /// One, two or three entries whose changes add up to what is missing; of several answers the one
  /// that moves the values least.
  ///
  /// - Parameters:
  ///   - missing: What is missing in the sum.
  ///   - tolerance: How exactly it is known.
  ///   - candidates: Nearest to the kink first.
  /// - Returns: The entries to change; `nil` if none explain it.
  static func likeliest(
    explaining missing: Double, within tolerance: Double, among candidates: [Candidate]
  ) -> [Int]? {
    var best: (entries: [Int], doubt: Double)?
    func consider(_ chosen: [Candidate]) {
      let left = chosen.reduce(missing) { $0 - $1.change }
      let doubt = chosen.reduce(0) { $0 + $1.doubt * $1.doubt }
      guard abs(left) <= tolerance, doubt < best?.doubt ?? .infinity else { return }
      best = (chosen.map(\.entry), doubt)
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
    return best?.entries
  }
}
