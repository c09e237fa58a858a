/// Bytes that live as long as the value that owns them.
///
/// A mapping of a file or an array of the process; never written to while a tensor reads it.
public protocol TensorStorage: AnyObject, Sendable {
  /// The first byte and the number of bytes that may be read.
  var bytes: UnsafeRawBufferPointer { get }
}

/// Numbers owned by the process.
@safe final class OwnedStorage: TensorStorage {
  // Safe: the memory is written once, in the initialiser, and freed by the only owner.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  init(_ elements: [Double]) {
    let memory = unsafe Self.allocate(elements.count)
    unsafe elements.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
    unsafe bytes = UnsafeRawBufferPointer(memory)
  }

  /// Computes the numbers block by block, on all cores.
  init(count: Int, _ block: @Sendable (Range<Int>) -> [Double]) {
    let memory = unsafe Self.allocate(count)
    nonisolated(unsafe) let target = unsafe memory
    _ = BlockedLoop.map(count: count, grain: 1 << 16) { range in
      let numbers = block(range)
      precondition(numbers.count == range.count, "a block fills its range")
      // Safe: every block writes its own range, and the loop returns after all of them.
      unsafe numbers.withUnsafeBytes { source in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[(range.lowerBound * 8)...])
          .copyMemory(from: source)
      }
    }
    unsafe bytes = UnsafeRawBufferPointer(memory)
  }

  private static func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer.allocate(
      byteCount: count * MemoryLayout<Double>.stride, alignment: 64)
  }

  deinit { unsafe bytes.deallocate() }
}

/// A read-only array of real numbers in row-major order.
///
/// Values are widened to `Double` when they are read; ``kind`` and ``resolution`` say how exactly
/// they were stored.
public struct Tensor: Sendable {
  /// The extent of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The format of the bytes behind this tensor.
  public let kind: ElementKind
  /// The coarsest format on whose grid the values lie, at least as coarse as ``kind``.
  ///
  /// A gradient cast to half precision and saved as `float32` is still only known to 11 bits.
  public let resolution: ElementKind
  let storage: any TensorStorage
  let byteOffset: Int
  let cache: SummaryCache

  /// Refers to `shape` numbers of `kind` inside `storage`.
  ///
  /// - Precondition: the bytes lie inside `storage`; a reader of untrusted files checks first.
  public init(
    storage: any TensorStorage, byteOffset: Int, shape: [Int], kind: ElementKind,
    resolution: ElementKind? = nil
  ) {
    self.init(
      storage: storage, byteOffset: byteOffset, shape: shape, kind: kind,
      resolution: resolution ?? kind, cache: SummaryCache())
  }

  /// The same numbers under another shape or resolution share their summary.
  init(
    storage: any TensorStorage, byteOffset: Int, shape: [Int], kind: ElementKind,
    resolution: ElementKind, cache: SummaryCache
  ) {
    let count = shape.reduce(1, *)
    unsafe precondition(
      byteOffset >= 0 && byteOffset + count * kind.byteCount <= storage.bytes.count,
      "a tensor must lie inside its storage")
    self.storage = storage
    self.byteOffset = byteOffset
    self.shape = shape
    self.kind = kind
    self.resolution = resolution
    self.cache = cache
  }

  /// Copies `elements`, row-major.
  public init(_ elements: [Double], shape: [Int], resolution: ElementKind = .float64) {
    precondition(elements.count == shape.reduce(1, *), "elements and shape disagree")
    self.init(
      storage: OwnedStorage(elements), byteOffset: 0, shape: shape, kind: .float64,
      resolution: resolution)
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The same elements under another shape with as many elements.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "a reshape keeps the number of elements")
    return Tensor(
      storage: storage, byteOffset: byteOffset, shape: shape, kind: kind, resolution: resolution,
      cache: cache)
  }

  /// Element `index` in row-major order.
  public subscript(index: Int) -> Double {
    precondition(index >= 0 && index < count, "index out of range")
    // Safe: the index was checked and the initialiser checked the extent.
    let address = unsafe base + index * kind.byteCount
    return switch kind {
    case .float16: unsafe Half.load(address)
    case .bfloat16: unsafe BrainHalf.load(address)
    case .float32: unsafe Float.load(address)
    case .float64: unsafe Double.load(address)
    }
  }

  /// All elements, row-major.
  ///
  /// - Complexity: O(*count*), and 8 bytes per element.
  public func elements() -> [Double] { elements(in: 0..<count) }

  /// The elements of a range of row-major indices.
  ///
  /// - Precondition: the range lies inside the tensor.
  public func elements(in range: Range<Int>) -> [Double] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
    return switch kind {
    case .float16: widened(Half.self, range)
    case .bfloat16: widened(BrainHalf.self, range)
    case .float32: widened(Float.self, range)
    case .float64: widened(Double.self, range)
    }
  }

  private func widened<E: StoredElement>(_ element: E.Type, _ range: Range<Int>) -> [Double] {
    guard !range.isEmpty else { return [] }
    // Safe: the range was checked, and the array has room for all of it.
    let start = unsafe base + range.lowerBound * kind.byteCount
    return unsafe [Double](unsafeUninitializedCapacity: range.count) { numbers, initialized in
      for index in 0..<range.count {
        unsafe numbers.initializeElement(at: index, to: E.load(start + index * kind.byteCount))
      }
      initialized = range.count
    }
  }

  // Safe: the storage is kept alive by this value, and an empty tensor is never read.
  var base: UnsafeRawPointer {
    guard let start = unsafe storage.bytes.baseAddress else {
      preconditionFailure("an empty storage has no elements to read")
    }
    return unsafe start + byteOffset
  }
}

extension Tensor {
  /// The tensor at `index` of the outermost axis.
  ///
  /// - Precondition: there is an outermost axis, and `index` lies in it.
  public func slice(_ index: Int) -> Tensor {
    precondition(shape.first.map { (0..<$0).contains(index) } == true, "index out of range")
    let inner = Array(shape.dropFirst())
    return Tensor(
      storage: storage, byteOffset: byteOffset + index * inner.reduce(1, *) * kind.byteCount,
      shape: inner, kind: kind, resolution: resolution)
  }
}
