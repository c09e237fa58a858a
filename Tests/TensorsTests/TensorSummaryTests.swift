import Tensors
import Testing

@Suite("Tensor summary")
struct TensorSummaryTests {
  /// Around the width of a kernel and around the size of a block.
  static let lengths = [0, 1, 2, 7, 8, 9, 15, 16, 17, 65_535, 65_536, 65_545, 131_073]

  @Test("counts and norm are those of a plain loop", arguments: lengths)
  func plainLoop(length: Int) {
    var numbers = SeededNumbers(state: UInt64(length))
    let values = numbers.grid(length)
    for kind in ElementKind.allCases {
      let summary = Tensor(values, as: kind, offset: 1).summary()
      #expect(summary.count == length && summary.isFinite)
      #expect(summary.zeroCount == values.count { $0 == 0 })
      #expect(summary.isAllZero == values.allSatisfy { $0 == 0 })
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // The square sum is divided by and multiplied with the maximum: a few roundings.
      #expect(summary.norm.isClose(to: norm, 4 * norm.ulp))
      #expect(summary.maximumMagnitude == values.map(\.magnitude).max() ?? 0)
    }
  }

  @Test("NaN and infinity are counted and left out of the norm", arguments: [3, 8, 21, 70_000])
  func special(length: Int) {
    for kind in ElementKind.allCases {
      var values = [Double](repeating: 0.5, count: length)
      values[0] = .nan
      values[length / 2] = .infinity
      values[length - 1] = -.infinity
      let summary = Tensor(values, as: kind, offset: 3).summary()
      #expect(summary.nanCount == 1 && summary.infinityCount == 2 && !summary.isFinite)
      #expect(summary.maximumMagnitude == (length > 3 ? 0.5 : 0))
      let norm = Double(length - 3).squareRoot() * 0.5
      #expect(summary.norm.isClose(to: norm, 8 * norm.ulp))
    }
  }

  @Test(
    "the norm of tiny and huge numbers neither underflows nor overflows",
    arguments: [1e-200, 1e-40, 0x1p-1060, 1e-160, 1e154, 1e200])
  func extremes(size: Double) {
    for length in [1, 7, 100, 70_001] {
      let summary = Tensor([Double](repeating: -size, count: length), shape: [length]).summary()
      let norm = size * Double(length).squareRoot()
      // One rounding per term of the scaled sum; a subnormal norm is known to its own spacing.
      #expect(summary.norm.isClose(to: norm, 1e-11 * norm + .leastNonzeroMagnitude), "\(length)")
      #expect(summary.isFinite && !summary.isAllZero && summary.zeroCount == 0)
    }
  }

  @Test("tiny numbers beside ordinary ones in another block add nothing")
  func mixedBlocks() {
    let tiny = [Double](repeating: 1e-200, count: 65_536)
    let summary = Tensor(tiny + [3, 4], shape: [65_538]).summary()
    #expect(summary.norm == 5)
    #expect(summary.maximumMagnitude == 4)
    let reversed = Tensor([3, 4] + tiny + tiny, shape: [131_074]).summary()
    #expect(reversed.norm == 5)
  }

  @Test("subnormal singles have a norm")
  func subnormal() {
    let summary = Tensor([1e-40, -1e-40, 0], as: .float32).summary()
    let stored = Double(Float(1e-40))
    #expect(summary.norm.isClose(to: stored * 2.0.squareRoot(), 1e-50))
    #expect(summary.zeroCount == 1)
  }

  @Test("an empty tensor is finite and all zero")
  func empty() {
    let summary = Tensor([], shape: [0]).summary()
    #expect(summary.isFinite && summary.isAllZero && summary.count == 0 && summary.norm == 0)
    #expect(Tensor([], shape: [3, 0]).elements().isEmpty)
  }

  @Test("the same numbers give the same bits every time")
  func deterministic() {
    var numbers = SeededNumbers(state: 5)
    let tensor = Tensor(numbers.uniform(300_001), shape: [300_001])
    let first = tensor.summary()
    for _ in 0..<8 { #expect(tensor.summary() == first) }
  }
}
