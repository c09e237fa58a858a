/// Where the text of a graph stops making sense.
public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Counted from 1.
  public let line: Int
  public let found: String
  public let needed: String
  /// What a misspelt word was probably meant to be.
  public let suggestion: String?

  init(line: Int, found: String, needed: String, suggestion: String? = nil) {
    self.line = line
    self.found = found
    self.needed = needed
    self.suggestion = suggestion
  }

  public var description: String {
    "line \(line): found \(found); needed \(needed)"
      + (suggestion.map { "; did you mean '\($0)'?" } ?? "")
  }
}

extension Collection<String> {
  /// The word most like `word`, if no more than half of it and three letters would have to change.
  func nearest(to word: String) -> String? {
    // A longer word than any of ours is no misspelling, and its distance is not worth computing.
    guard word.utf8.count <= 64 else { return nil }
    let ranked = map { (word: $0, distance: editDistance($0, word)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }),
      best.distance <= Swift.min(3, Swift.max(1, word.utf8.count / 2))
    else { return nil }
    return best.word
  }
}

/// How many letters have to be put in, taken out or changed; Wagner, Fischer, JACM 1974.
private func editDistance(_ lhs: String, _ rhs: String) -> Int {
  let (lhs, rhs) = (Array(lhs.utf8), Array(rhs.utf8))
  var row = Array(0...rhs.count)
  for (i, a) in lhs.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in rhs.enumerated() {
      let change = diagonal + (a == b ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(change, min(row[j], row[j + 1]) + 1)
    }
  }
  return row[rhs.count]
}
