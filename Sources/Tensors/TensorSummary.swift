internal import Synchronization

/// What one pass over a tensor tells about it.
public struct TensorSummary: Hashable, Sendable {
  public var count = 0
  public var nanCount = 0
  public var infinityCount = 0
  public var zeroCount = 0
  /// Sum of the squares of the finite elements, relative to ``maximumMagnitude`` squared.
  var scaledSquares = 0.0
  /// The largest finite magnitude; 0 if there is none.
  public var maximumMagnitude = 0.0

  /// Whether every element is a number.
  public var isFinite: Bool { nanCount == 0 && infinityCount == 0 }
  /// Whether no element carries anything.
  public var isAllZero: Bool { zeroCount == count }
  /// The Euclidean norm of the finite elements, without underflow for tiny gradients.
  public var norm: Double { scaledSquares.squareRoot() * maximumMagnitude }

  mutating func merge(_ other: TensorSummary) {
    count += other.count
    nanCount += other.nanCount
    infinityCount += other.infinityCount
    zeroCount += other.zeroCount
    let peak = max(maximumMagnitude, other.maximumMagnitude)
    if peak > 0 {
      let (own, its) = (maximumMagnitude / peak, other.maximumMagnitude / peak)
      scaledSquares = scaledSquares * own * own + other.scaledSquares * its * its
    }
    maximumMagnitude = peak
  }
}

extension Tensor {
  /// Counts, norm and extremes of all elements.
  ///
  /// - Complexity: O(*count*) once; copies of the tensor share the result.
  public func summary() -> TensorSummary { cache.value { computeSummary() } }

  private func computeSummary() -> TensorSummary {
    switch kind {
    case .float16: summary(of: Half.self)
    case .bfloat16: summary(of: BrainHalf.self)
    case .float32: summary(of: Float.self)
    case .float64: summary(of: Double.self)
    }
  }

  private func summary<Element: StoredElement>(of element: Element.Type) -> TensorSummary {
    let stride = kind.byteCount
    let blocks = BlockedLoop.map(count: count, grain: 1 << 16) { range in
      // Safe: the range lies inside the tensor.
      unsafe Self.block(element, at: base + range.lowerBound * stride, range.count, stride)
    }
    return blocks.reduce(into: TensorSummary()) { $0.merge($1) }
  }

  // Safe: `count` elements of `stride` bytes lie at `address`.
  private static func block<Element: StoredElement>(
    _ element: Element.Type, at address: UnsafeRawPointer, _ count: Int, _ stride: Int
  ) -> TensorSummary {
    var result = TensorSummary()
    result.count = count
    // Four lanes at a time: with eight, the accumulators would not fit the registers of every
    // processor.
    var squares = SIMD4<Double>(), peak = SIMD4<Double>(), zeros = SIMD4<Int64>()
    let whole = count & ~7
    for index in Swift.stride(from: 0, to: whole, by: 8) {
      let entries = unsafe Element.load8(address + index * stride)
      for half in 0..<2 {
        let x = half == 0 ? entries.lowHalf : entries.highHalf
        let square = x * x
        squares += square
        peak.replace(with: square, where: square .> peak)
        zeros.replace(with: zeros &+ 1, where: x .== 0)
      }
    }
    for index in whole..<count {
      let x = unsafe Element.load(address + index * stride)
      squares[0] += x * x
      peak[0] = max(peak[0], x * x)
      zeros[0] += x == 0 ? 1 : 0
    }
    result.zeroCount = Int(zeros.wrappedSum())
    result.maximumMagnitude = peak.max().squareRoot()
    let total = squares.sum()
    // A finite sum of normal squares is exact enough; anything else takes the careful path.
    if total.isFinite, total > 0x1p-900 {
      result.scaledSquares = total / (result.maximumMagnitude * result.maximumMagnitude)
    } else if result.zeroCount < count {
      unsafe result.recount(element, at: address, count, stride)
    }
    return result
  }
}

extension TensorSummary {
  /// Repeats a block element by element, for blocks with NaN, infinities or tiny values.
  // Safe: `count` elements of `stride` bytes lie at `address`.
  fileprivate mutating func recount<Element: StoredElement>(
    _ element: Element.Type, at address: UnsafeRawPointer, _ count: Int, _ stride: Int
  ) {
    (scaledSquares, maximumMagnitude) = (0, 0)
    for index in 0..<count {
      let x = unsafe Element.load(address + index * stride)
      if x.isNaN { nanCount += 1 } else if x.isInfinite { infinityCount += 1 }
      if x.isFinite { maximumMagnitude = max(maximumMagnitude, abs(x)) }
    }
    guard maximumMagnitude > 0 else { return }
    for index in 0..<count {
      let x = unsafe Element.load(address + index * stride)
      guard x.isFinite else { continue }
      scaledSquares += (x / maximumMagnitude) * (x / maximumMagnitude)
    }
  }
}

/// A summary that is computed when somebody first asks for it.
final class SummaryCache: Sendable {
  private let stored = Mutex<TensorSummary?>(nil)

  /// Two threads that ask at once may both compute it; they get equal results.
  func value(_ compute: () -> TensorSummary) -> TensorSummary {
    if let known = stored.withLock({ $0 }) { return known }
    let summary = compute()
    stored.withLock { $0 = summary }
    return summary
  }
}
