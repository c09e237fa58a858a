import Tensors
import Testing

@Suite("Tensor")
struct TensorTests {
  @Test("a slice is the part of the elements at its index", arguments: ElementKind.allCases)
  func slice(kind: ElementKind) {
    let values = (0..<24).map { Double($0) - 11 }
    let tensor = Tensor(values, as: kind, shape: [2, 3, 4], offset: 5)
    for outer in 0..<2 {
      let part = tensor.slice(outer)
      #expect(part.shape == [3, 4] && part.kind == kind)
      #expect(part.elements() == Array(values[outer * 12..<outer * 12 + 12]))
      for inner in 0..<3 {
        let start = outer * 12 + inner * 4
        #expect(part.slice(inner).elements() == Array(values[start..<start + 4]))
        #expect(part.slice(inner).slice(3).elements() == [values[start + 3]])
        #expect(part.slice(inner).slice(3).shape.isEmpty)
      }
    }
  }

  @Test("a reshape keeps elements, format and resolution")
  func reshaped() {
    let tensor = Tensor((0..<12).map(Double.init), shape: [3, 4], resolution: .float16)
    for shape in [[12], [4, 3], [2, 3, 2], [1, 12, 1]] {
      let other = tensor.reshaped(shape)
      #expect(other.shape == shape && other.elements() == tensor.elements())
      #expect(other.resolution == .float16 && other.kind == .float64)
    }
  }

  @Test("a scalar has one element")
  func scalar() {
    let tensor = Tensor([42], as: .float16, shape: [], offset: 3)
    #expect(tensor.count == 1 && tensor.elements() == [42] && tensor[0] == 42)
  }

  @Test("a difference is taken element by element and is as coarse as the coarser side")
  func subtracting() {
    let before = Tensor([1, 2, 0.5, -3], as: .float16, shape: [2, 2])
    let after = Tensor([1.5, 2, -0.5, 0.1], shape: [2, 2])
    let difference = after.subtracting(before)
    #expect(difference.elements() == [0.5, 0, -1, 0.1 + 3])
    #expect(difference.shape == [2, 2] && difference.resolution == .float16)
    #expect(difference.kind == .float64)
  }

  /// What the values lie on, what they are stored in, and what is found.
  static let resolutions: [(grid: ElementKind, stored: ElementKind, found: ElementKind)] = [
    (.float16, .float32, .float16), (.float16, .float64, .float16),
    (.bfloat16, .float32, .bfloat16), (.bfloat16, .float64, .bfloat16),
    (.float32, .float32, .float32), (.float32, .float64, .float32),
    (.float64, .float64, .float64), (.float16, .float16, .float16),
    (.bfloat16, .bfloat16, .bfloat16),
  ]

  @Test("numbers that were rounded before they were stored are recognised", arguments: resolutions)
  func resolution(grid: ElementKind, stored: ElementKind, found: ElementKind) {
    for size in [1.0, 1e-3] {
      var numbers = SeededNumbers(state: 9)
      let values = Tensor(numbers.uniform(500).map { $0 * size }, as: grid).elements()
      #expect(Tensor(values, as: stored).detectingResolution().resolution == found, "\(size)")
    }
  }

  @Test("one number off the grid keeps the stored format")
  func oneOffGrid() {
    var numbers = SeededNumbers(state: 10)
    let values = Tensor(numbers.uniform(100), as: .float16).elements()
    let off = Tensor(values + [0.1], as: .float32)
    #expect(off.detectingResolution().resolution == .float32)
    let large = Tensor(values.map { $0 * 0x1p17 }, as: .float32)
    #expect(large.detectingResolution().resolution == .float32)
  }

  @Test("fewer than 32 numbers, zeros and non-finite ones decide nothing")
  func tooFew() {
    var numbers = SeededNumbers(state: 11)
    let values = Tensor(numbers.uniform(32), as: .float16).elements()
    let zeros = [Double](repeating: 0, count: 100)
    func found(_ values: [Double]) -> ElementKind {
      Tensor(values, as: .float32).detectingResolution().resolution
    }
    #expect(found(values) == .float16)
    #expect(found(Array(values.dropLast())) == .float32)
    #expect(found(zeros) == .float32)
    #expect(found(Array(values.dropLast()) + zeros) == .float32)
    #expect(found(values + zeros + [.nan, .infinity]) == .float16)
  }
}
