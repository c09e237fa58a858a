extension ElementKind {
  /// The nearest number of the format, the even one of two; infinite beyond its largest.
  public func nearest(_ x: Double) -> Double {
    switch self {
    case .float64: x
    case .float32: Double(Float(x))
    case .float16: Self.nearest(x, fractionBits: 10, leastExponent: -14, largest: 65_504)
    case .bfloat16: Self.nearest(x, fractionBits: 7, leastExponent: -126, largest: 0x1.fep127)
    }
  }

  /// Rounds on the grid between the powers of two around `x`.
  ///
  /// Below the least normal number the grid stays as it is. Scaling by a power of two is exact.
  private static func nearest(
    _ x: Double, fractionBits: Int, leastExponent: Int, largest: Double
  ) -> Double {
    guard x.isFinite, x != 0 else { return x }
    let power = max(Int(x.exponent), leastExponent) - fractionBits
    let step = Double(sign: .plus, exponent: power, significand: 1)
    let rounded = (x / step).rounded(.toNearestOrEven) * step
    return rounded.magnitude > largest ? (x < 0 ? -.infinity : .infinity) : rounded
  }

  /// Numbers rounded to the format, as its bytes, the least significant first.
  public func bytes(of numbers: [Double]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(numbers.count * byteCount)
    for number in numbers {
      let bits = bits(of: number)
      for place in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * place))) }
    }
    return bytes
  }

  private func bits(of x: Double) -> UInt64 {
    switch self {
    case .float64: x.bitPattern
    case .float32: UInt64(Float(x).bitPattern)
    case .bfloat16: UInt64(Float(nearest(x)).bitPattern >> 16)
    case .float16: UInt64(Self.halfBits(of: nearest(x)))
    }
  }

  /// The pattern of a number that half precision holds.
  private static func halfBits(of x: Double) -> UInt16 {
    let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
    if x.isNaN { return 0x7e00 }
    if x.isInfinite { return sign | 0x7c00 }
    let magnitude = x.magnitude
    // Below the least normal number the pattern counts the smallest one.
    if magnitude < 0x1p-14 { return sign | UInt16(magnitude * 0x1p24) }
    let fraction = UInt16((magnitude.significand - 1) * 0x1p10)
    return sign | UInt16(magnitude.exponent + 15) << 10 | fraction
  }
}
