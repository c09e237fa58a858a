/// A seeded stream of numbers that is the same on every platform.
///
/// The state advances by a constant, so the `n`-th number can be computed alone. Reals are made of
/// whole numbers by additions, multiplications, divisions and square roots, which IEEE 754 rounds
/// in one way.
///
/// - Source: Steele, Lea & Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64
  /// The second number of a pair from ``normal()``.
  private var spare: Double?

  public init(seed: UInt64) { state = seed }

  /// A seed for one of several streams; streams of neighbouring seeds do not overlap but by chance.
  public static func mixed(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
    var first = SplitMix64(seed: seed)
    var second = SplitMix64(seed: first.next() ^ stream)
    return second.next()
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A multiple of 2⁻⁵³ in `0 ..< 1`.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number in `lowerBound ..< upperBound`.
  public mutating func uniform(_ lowerBound: Double, _ upperBound: Double) -> Double {
    lowerBound + (upperBound - lowerBound) * unit()
  }

  /// A number from the standard normal distribution.
  ///
  /// - Source: Marsaglia & Bray, *A Convenient Method for Generating Normal Variables*, SIAM Review
  ///   1964.
  public mutating func normal() -> Double {
    if let spare {
      self.spare = nil
      return spare
    }
    while true {
      let x = uniform(-1, 1)
      let y = uniform(-1, 1)
      let square = x * x + y * y
      guard square < 1, square > 0 else { continue }
      let factor = (-2 * Self.logarithm(square) / square).squareRoot()
      spare = y * factor
      return x * factor
    }
  }

  /// The natural logarithm, to about 1e-16 relative.
  ///
  /// With `x = 2ᵉ m`, `s = (m − 1) / (m + 1)`: `ln x = e ln 2 + 2 (s + s³/3 + s⁵/5 + …)`.
  ///
  /// - Precondition: `x` is positive and normal.
  static func logarithm(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var fraction = x.significand
    if fraction > 1.4142135623730951 {
      fraction /= 2
      exponent += 1
    }
    let s = (fraction - 1) / (fraction + 1)
    let square = s * s
    var series = 0.0
    // |s| < 0.172: the term behind these is below 1e-18.
    for power in stride(from: 23, through: 1, by: -2) {
      series = series * square + 1 / Double(power)
    }
    return exponent * 0.6931471805599453 + 2 * s * series
  }
}
