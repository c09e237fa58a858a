#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// On which side of the kink of a piecewise-linear activation every entry lies.
struct SignPattern {
  /// What the activation put out, in its range.
  private(set) var map: KnownMap
  /// The same before it was brought into the range.
  let solved: [Double]
  /// The loss gradient in front of the activation, `[places, channels]`.
  private(set) var gradient: [Double]
  /// The loss gradient behind it.
  let arriving: [Double]
  let channels: Int
  /// The slopes on the two sides.
  let low: Double
  let high: Double
  /// How many entries changed sides.
  private(set) var flipped = 0
  private let largest: Double

  init(
    map: KnownMap, solved: [Double], gradient: [Double], arriving: [Double], channels: Int,
    low: Double, high: Double
  ) {
    self.map = map
    self.solved = solved
    self.gradient = gradient
    self.arriving = arriving
    self.channels = channels
    self.low = low
    self.high = high
    largest = map.values.reduce(0) { max($0, abs($1)) }
  }

  /// The entries of a channel that may lie on the other side, the least certain first.
  func doubtful(_ channel: Int) -> [Int] {
    stride(from: channel, to: gradient.count, by: channels)
      .filter { abs(solved[$0]) < max(1e-3 * largest, 40 * map.errors[$0]) }
      .map { (entry: $0, doubt: doubt($0)) }
      .sorted { $0.doubt < $1.doubt }
      .map(\.entry)
  }

  /// How certain an entry's side is; 0 where both are as likely.
  ///
  /// Where the activation cuts, an entry on the low side is the error of a zero, and one on the high
  /// side lies almost surely far above the errors: the border is the floor between the two, and
  /// since errors have long tails, factors count. Where both sides keep their values, the border is
  /// the kink.
  func doubt(_ entry: Int) -> Double {
    let (value, error) = (solved[entry], map.errors[entry])
    guard low == 0 else { return abs(value) / (error + 1e-9 * largest) }
    let floor = Self.zeroFloor(error: error, largest: largest)
    return abs(log(max(value, 0.03 * floor) / floor))
  }

  /// What a rectified entry has to exceed to be more than the error of a zero.
  static func zeroFloor(error: Double, largest: Double) -> Double {
    // Between noise and a value that is really there lie orders of magnitude, as a rule.
    max(8 * error, 5e-7 * largest)
  }

  private func isHigh(_ entry: Int) -> Bool { gradient[entry] == high * arriving[entry] }

  /// What the loss gradient gains if an entry changes sides.
  func change(_ entry: Int) -> Double {
    (isHigh(entry) ? low - high : high - low) * arriving[entry]
  }

  mutating func flip(_ entry: Int) {
    let wasHigh = isHigh(entry)
    gradient[entry] = (wasHigh ? low : high) * arriving[entry]
    map.values[entry] = wasHigh ? 0 : max(solved[entry], 1e-9 * largest)
    flipped += 1
  }
}
