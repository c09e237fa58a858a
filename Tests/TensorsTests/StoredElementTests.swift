import Tensors
import Testing

@Suite("Stored numbers")
struct StoredElementTests {
  /// Odd and even offsets: no format may rely on alignment.
  static let offsets = [0, 1, 2, 3, 7]

  @Test("every half-precision pattern widens as the processor widens it", arguments: offsets)
  func float16(offset: Int) {
    let patterns = (0...UInt16.max).map { $0 }
    let values = Tensor(patterns: patterns, as: .float16, offset: offset).elements()
    let wrong = zip(patterns, values).filter { pattern, value in
      !isSame(value, Double(Float16(bitPattern: pattern)))
    }
    #expect(wrong.isEmpty)
  }

  @Test("every bfloat16 pattern is the upper half of a single", arguments: offsets)
  func bfloat16(offset: Int) {
    let patterns = (0...UInt16.max).map { $0 }
    let values = Tensor(patterns: patterns, as: .bfloat16, offset: offset).elements()
    let wrong = zip(patterns, values).filter { pattern, value in
      !isSame(value, Double(Float(bitPattern: UInt32(pattern) << 16)))
    }
    #expect(wrong.isEmpty)
  }

  @Test("wide kernels read the same half-precision numbers as single reads")
  func eightAtATime() {
    // All finite patterns: the maximum, the zeros and the sum see every one of them once.
    for (kind, largest) in [(ElementKind.float16, UInt16(0x7bff)), (.bfloat16, 0x7f7f)] {
      for first in stride(from: UInt16(0), through: largest, by: 1_024) {
        let patterns = (0..<1_024).map { first + $0 }.filter { $0 <= largest }
        let tensor = Tensor(patterns: patterns, as: kind, offset: 1)
        let summary = tensor.summary()
        #expect(summary.maximumMagnitude == tensor.elements().max())
        #expect(summary.zeroCount == (first == 0 ? 1 : 0) && summary.isFinite)
      }
    }
  }

  @Test("single and double precision are read bit by bit", arguments: offsets)
  func wide(offset: Int) {
    let values = [
      0.0, -0.0, 1, -1, .pi, 1e-45, 1e-40, 3.4e38, .infinity, -.infinity, .nan,
      .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    ]
    let doubles = Tensor(values, as: .float64, offset: offset).elements()
    #expect(zip(doubles, values).allSatisfy(isSame))
    let singles = Tensor(values, as: .float32, offset: offset).elements()
    #expect(zip(singles, values.map { Double(Float($0)) }).allSatisfy(isSame))
  }

  @Test("the stated rounding error is half the distance to the next number")
  func roundoff() {
    #expect(ElementKind.float16.unitRoundoff == Double(Float16.ulpOfOne) / 2)
    #expect(ElementKind.bfloat16.unitRoundoff == 0x1p-7 / 2)
    #expect(ElementKind.float32.unitRoundoff == Double(Float.ulpOfOne) / 2)
    #expect(ElementKind.float64.unitRoundoff == Double.ulpOfOne / 2)
    #expect(ElementKind.float16.absoluteRoundoff == Double(Float16.leastNonzeroMagnitude) / 2)
    #expect(ElementKind.float32.absoluteRoundoff == Double(Float.leastNonzeroMagnitude) / 2)
    #expect(ElementKind.bfloat16.absoluteRoundoff == 0x1p-133 / 2)
    #expect(ElementKind.allCases.map(\.byteCount) == [2, 2, 4, 8])
  }

  @Test("the coarser of two formats has the larger rounding error")
  func coarser() {
    let sorted: [ElementKind] = [.bfloat16, .float16, .float32, .float64]
    for (rank, kind) in sorted.enumerated() {
      for other in sorted[rank...] {
        #expect(kind.coarser(of: other) == kind && other.coarser(of: kind) == kind)
      }
    }
  }

  /// Equal bits, or both not a number.
  private func isSame(_ a: Double, _ b: Double) -> Bool {
    a.isNaN ? b.isNaN : a == b && a.sign == b.sign
  }
}
