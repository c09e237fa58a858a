import TensorIR

/// A small generator with a fixed sequence per seed; Steele, Lea, Flood, OOPSLA 2014.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension SplitMix64 {
  /// Elements drawn evenly from `range`.
  mutating func elements(_ type: TensorType, in range: Range<Double> = -1..<1) -> [Double] {
    (0..<type.elementCount).map { _ in
      let drawn = Double.random(in: range, using: &self)
      return type.element == .real ? drawn : drawn.rounded(.down)
    }
  }

  /// Elements for the operands of a case.
  ///
  /// Real elements of one range are a shuffled grid that misses its middle, so that no two are
  /// within 1e-4 of each other or of zero: steps of 1e-5 do not cross the kink of a maximum.
  mutating func elements(for subject: PrimitiveCase) -> [[Double]] {
    let count = subject.moving.reduce(0) { $0 + subject.operands[$1].type.elementCount }
    var grid = (0..<count).map { (Double($0) + 0.37) / Double(count) }.shuffled(using: &self)
    return subject.operands.map { operand in
      guard operand.type.element == .real else {
        return elements(operand.type, in: operand.range)
      }
      let places = grid.suffix(operand.type.elementCount)
      grid.removeLast(places.count)
      let (low, high) = (operand.range.lowerBound, operand.range.upperBound)
      return places.map { low + $0 * (high - low) }
    }
  }
}

/// How far two lists of numbers are apart, relative to the largest number in them.
func distance(_ lhs: [Double], _ rhs: [Double]) -> Double {
  guard lhs.count == rhs.count else { return .infinity }
  let scale = (lhs + rhs).map(abs).max() ?? 0
  let farthest = zip(lhs, rhs).map { $0 == $1 ? 0 : abs($0 - $1) }
  guard !farthest.contains(where: \.isNaN) else { return .infinity }
  return (farthest.max() ?? 0) / max(scale, 1e-3)
}
