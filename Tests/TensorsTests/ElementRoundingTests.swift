import Tensors
import Testing

@Suite("Rounding to stored formats")
struct ElementRoundingTests {
  /// Bytes held for a tensor.
  @safe private final class Bytes: TensorStorage {
    // Safe: written before anybody reads it, and freed by the only owner.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(_ content: [UInt8]) {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 8)
      unsafe memory.copyBytes(from: content)
      unsafe bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { unsafe bytes.deallocate() }
  }

  private func read(_ bytes: [UInt8], _ kind: ElementKind) -> [Double] {
    Tensor(
      storage: Bytes(bytes), byteOffset: 0, shape: [bytes.count / kind.byteCount], kind: kind
    ).elements()
  }

  @Test(
    "every pattern of two bytes is its own nearest number, and is written as it was read",
    arguments: [ElementKind.float16, .bfloat16])
  func patterns(kind: ElementKind) {
    let bytes = (0...UInt16.max).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    let numbers = read(bytes, kind)
    #expect(numbers.count == 65_536)
    let finite = numbers.indices.filter { numbers[$0].isFinite }
    #expect(finite.allSatisfy { kind.nearest(numbers[$0]) == numbers[$0] })
    let written = kind.bytes(of: numbers)
    let changed = bytes.indices.filter { written[$0] != bytes[$0] && !numbers[$0 / 2].isNaN }
    #expect(changed.isEmpty)
    #expect(read(written, kind).count { $0.isNaN } == numbers.count { $0.isNaN })
  }

  @Test(
    "between two neighbours the nearer one is taken, and the even one from the middle",
    arguments: [ElementKind.float16, .bfloat16])
  func middles(kind: ElementKind) {
    // Positive finite patterns ascend.
    let top: UInt16 = kind == .float16 ? 0x7bff : 0x7f7f
    let numbers = read((0...top).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }, kind)
    let wrong = numbers.indices.dropLast().filter { place in
      let (low, high) = (numbers[place], numbers[place + 1])
      let middle = (low + high) / 2
      return kind.nearest(middle) != (place % 2 == 0 ? low : high)
        || kind.nearest(middle.nextUp) != high || kind.nearest(middle.nextDown) != low
        || kind.nearest(-middle.nextUp) != -high
    }
    #expect(wrong.isEmpty)
  }

  @Test("what is beyond the largest number by half a step becomes infinite")
  func overflow() {
    #expect(ElementKind.float16.nearest(65_519) == 65_504)
    #expect(ElementKind.float16.nearest(65_520) == .infinity)
    #expect(ElementKind.float16.nearest(-70_000) == -.infinity)
    #expect(ElementKind.bfloat16.nearest(0x1.fep127) == 0x1.fep127)
    #expect(ElementKind.bfloat16.nearest(0x1.ffp127) == .infinity)
    #expect(ElementKind.float32.nearest(1e39) == .infinity)
    #expect(ElementKind.float64.nearest(1e300) == 1e300)
  }

  @Test("single and double precision are written as the processor holds them")
  func wide() {
    let numbers = [0.1, -3.5, 1e-40, 0, -0.0]
    #expect(read(ElementKind.float64.bytes(of: numbers), .float64) == numbers)
    #expect(
      read(ElementKind.float32.bytes(of: numbers), .float32) == numbers.map { Double(Float($0)) })
  }
}
