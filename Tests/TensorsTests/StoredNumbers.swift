import Tensors

/// Bytes of a test, so that tensors can start at any offset.
@safe final class TestStorage: TensorStorage {
  // Safe: the memory is written once, in the initialiser, and freed by the only owner.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  init(_ contents: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(contents.count, 1), alignment: 64)
    unsafe memory.copyBytes(from: contents)
    unsafe bytes = UnsafeRawBufferPointer(memory)
  }

  deinit { unsafe bytes.deallocate() }
}

extension Tensor {
  /// Numbers in the format `kind`, starting `offset` bytes into their storage.
  init(_ values: [Double], as kind: ElementKind, shape: [Int]? = nil, offset: Int = 0) {
    let bytes = values.flatMap { kind.bytes(of: $0) }
    self.init(
      storage: TestStorage([UInt8](repeating: 0xa5, count: offset) + bytes), byteOffset: offset,
      shape: shape ?? [values.count], kind: kind)
  }

  /// Bit patterns of a 16-bit format.
  init(patterns: [UInt16], as kind: ElementKind, offset: Int) {
    let bytes = patterns.flatMap { littleEndian(UInt64($0), 2) }
    self.init(
      storage: TestStorage([UInt8](repeating: 0xa5, count: offset) + bytes), byteOffset: offset,
      shape: [patterns.count], kind: kind)
  }
}

extension ElementKind {
  /// The little-endian bytes of a number, rounded to the format; bfloat16 is cut off.
  func bytes(of value: Double) -> [UInt8] {
    switch self {
    case .float16: littleEndian(UInt64(Float16(value).bitPattern), 2)
    case .bfloat16: littleEndian(UInt64(Float(value).bitPattern >> 16), 2)
    case .float32: littleEndian(UInt64(Float(value).bitPattern), 4)
    case .float64: littleEndian(value.bitPattern, 8)
    }
  }
}

private func littleEndian(_ bits: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
}

/// A generator with a fixed sequence per seed; Steele, Lea, Flood, OOPSLA 2014.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Multiples of 1/32 in [−1, 1), which every format holds exactly.
  mutating func grid(_ count: Int) -> [Double] {
    (0..<count).map { _ in Double(Int.random(in: -32..<32, using: &self)) / 32 }
  }

  mutating func uniform(_ count: Int) -> [Double] {
    (0..<count).map { _ in Double.random(in: -1..<1, using: &self) }
  }
}

extension Double {
  /// Whether two numbers agree to rounding of a sum of that many terms.
  func isClose(to other: Double, _ tolerance: Double) -> Bool {
    self == other || (self - other).magnitude <= tolerance
  }
}
