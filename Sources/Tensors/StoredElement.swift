/// How a number is stored, which bounds how exactly it can be known.
public enum ElementKind: String, Codable, Sendable, CaseIterable {
  case float16, bfloat16, float32, float64

  /// Bytes per element.
  public var byteCount: Int {
    switch self {
    case .float16, .bfloat16: 2
    case .float32: 4
    case .float64: 8
    }
  }

  /// Half the distance from 1 to the next number: the relative error of one rounding.
  public var unitRoundoff: Double {
    switch self {
    case .float16: 0x1p-11
    case .bfloat16: 0x1p-8
    case .float32: 0x1p-24
    case .float64: 0x1p-53
    }
  }

  /// Half the smallest positive number: the absolute error of one rounding near zero.
  public var absoluteRoundoff: Double {
    switch self {
    case .float16: 0x1p-25
    case .bfloat16: 0x1p-134
    case .float32: 0x1p-150
    case .float64: 0
    }
  }
}

/// A number format that the kernels read eight at a time, widened to `Double`.
protocol StoredElement: SendableMetatype {
  /// Reads one number; `address` needs no alignment.
  static func load(_ address: UnsafeRawPointer) -> Double
  /// Reads eight consecutive numbers; `address` needs no alignment.
  static func load8(_ address: UnsafeRawPointer) -> SIMD8<Double>
}

extension Float: StoredElement {
  // Safe, here and below: the caller guarantees that the bytes read lie inside one mapping.
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Double {
    unsafe Double(address.loadUnaligned(as: Float.self))
  }

  @inline(__always)
  static func load8(_ address: UnsafeRawPointer) -> SIMD8<Double> {
    unsafe SIMD8<Double>(address.loadUnaligned(as: SIMD8<Float>.self))
  }
}

extension Double: StoredElement {
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Double {
    unsafe address.loadUnaligned(as: Double.self)
  }

  @inline(__always)
  static func load8(_ address: UnsafeRawPointer) -> SIMD8<Double> {
    unsafe address.loadUnaligned(as: SIMD8<Double>.self)
  }
}

/// IEEE 754 binary16, widened by integer arithmetic so that no processor feature is needed.
enum Half: StoredElement {
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Double {
    unsafe Double(widen(UInt32(address.loadUnaligned(as: UInt16.self))))
  }

  @inline(__always)
  static func load8(_ address: UnsafeRawPointer) -> SIMD8<Double> {
    let bits = unsafe address.loadUnaligned(as: SIMD8<UInt16>.self)
    var result = SIMD8<Double>()
    for lane in 0..<8 { result[lane] = Double(widen(UInt32(bits[lane]))) }
    return result
  }

  /// Moves exponent and fraction into binary32 position and rescales by 2¹¹².
  ///
  /// The product is exact, subnormals included; the largest exponent (infinity, NaN) is patched.
  @inline(__always)
  private static func widen(_ bits: UInt32) -> Float {
    let magnitude = (bits & 0x7fff) << 13
    let scaled = Float(bitPattern: magnitude) * 0x1p112
    let special = magnitude >= 0x0f80_0000 ? magnitude | 0x7f80_0000 : scaled.bitPattern
    return Float(bitPattern: special | (bits & 0x8000) << 16)
  }
}

/// The upper half of a binary32 number.
enum BrainHalf: StoredElement {
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Double {
    let bits = unsafe UInt32(address.loadUnaligned(as: UInt16.self))
    return Double(Float(bitPattern: bits << 16))
  }

  @inline(__always)
  static func load8(_ address: UnsafeRawPointer) -> SIMD8<Double> {
    let bits = unsafe SIMD8<UInt32>(
      truncatingIfNeeded: address.loadUnaligned(as: SIMD8<UInt16>.self))
    return SIMD8<Double>(unsafe unsafeBitCast(bits &<< 16, to: SIMD8<Float>.self))
  }
}
