/// A pattern for paths and names of layers, where a star stands for any text.
///
/// - `*` is any run of characters without `/`; `**` is any run at all.
/// - `?` is one character other than `/`.
/// - `**/` may also be nothing, so that `**/model.h5` finds `model.h5`.
/// - Everything else stands for itself. The whole text must match.
public struct Glob: Hashable, Codable, Sendable, CustomStringConvertible {
  public let pattern: String

  public init(_ pattern: String) { self.pattern = pattern }

  public var description: String { pattern }

  private enum Piece: Equatable {
    case character(Character)
    case any
    case run(crossesFolders: Bool)
    /// Nothing, or any run that ends with `/`.
    case folders
  }

  /// - Complexity: O(*length of the pattern* × *length of the text*), whatever the pattern.
  public func matches(_ text: String) -> Bool {
    let text = Array(text)
    // Which prefixes of the text the pieces so far match.
    var reached = [Bool](repeating: false, count: text.count + 1)
    reached[0] = true
    for piece in pieces {
      var next = [Bool](repeating: false, count: text.count + 1)
      var isOpen = false
      for end in 0...text.count {
        let last = end > 0 ? text[end - 1] : nil
        switch piece {
        case .character(let character): next[end] = end > 0 && reached[end - 1] && last == character
        case .any: next[end] = end > 0 && reached[end - 1] && last != "/"
        case .run(let crossesFolders):
          isOpen = isOpen && (crossesFolders || last != "/") || reached[end]
          next[end] = isOpen
        case .folders:
          next[end] = reached[end] || isOpen && last == "/"
          isOpen = isOpen || reached[end]
        }
      }
      reached = next
    }
    return reached[text.count]
  }

  private var pieces: [Piece] {
    var pieces: [Piece] = []
    var rest = Array(pattern)[...]
    while let first = rest.first {
      if rest.starts(with: "**/"), pieces.isEmpty || pieces.last == .character("/") {
        pieces.append(.folders)
        rest = rest.dropFirst(3)
      } else if first == "*" {
        let stars = rest.prefix { $0 == "*" }
        pieces.append(.run(crossesFolders: stars.count > 1))
        rest = rest.dropFirst(stars.count)
      } else {
        pieces.append(first == "?" ? .any : .character(first))
        rest = rest.dropFirst()
      }
    }
    return pieces
  }
}
