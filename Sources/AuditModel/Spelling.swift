/// Misspelt words and what may have been meant.
package enum Spelling {
  /// The candidate that needs the fewest edits, and at most `limit` of them if that is stated.
  package static func nearest(
    to word: String, among candidates: some Sequence<String>, limit: Int? = nil
  ) -> String? {
    let word = String(word.prefix(200))
    let nearest = candidates.map { (edits: distance($0, word), text: $0) }
      .min { ($0.edits, $0.text) < ($1.edits, $1.text) }
    guard let nearest, limit.map({ nearest.edits <= $0 }) ?? true else { return nil }
    return nearest.text
  }

  /// Levenshtein distance, the number of edits between two words.
  ///
  /// - Complexity: O(*length of a* × *length of b*).
  package static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let substituted = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
