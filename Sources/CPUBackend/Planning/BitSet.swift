/// A set of small numbers.
struct BitSet {
  private var words: [UInt64] = []

  func contains(_ member: Int) -> Bool {
    member / 64 < words.count && words[member / 64] >> UInt64(member % 64) & 1 == 1
  }

  mutating func insert(_ member: Int) {
    while words.count <= member / 64 { words.append(0) }
    words[member / 64] |= 1 << UInt64(member % 64)
  }

  mutating func formUnion(_ other: BitSet) {
    while words.count < other.words.count { words.append(0) }
    for index in other.words.indices { words[index] |= other.words[index] }
  }
}
