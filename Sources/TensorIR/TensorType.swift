/// What the elements of a tensor are.
///
/// Precision is a property of an execution, not of a graph: the same program runs in `Float` and in
/// `Double`.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  /// Real numbers.
  case real
  /// Whole numbers that select something, such as a class, a token or a position.
  case index
  /// Truth values.
  case boolean

  /// Whether `number` can be an element.
  func admits(_ number: Double) -> Bool {
    switch self {
    case .real: true
    case .index: number >= 0 && number <= 0x1p53 && number.rounded() == number
    case .boolean: number == 0 || number == 1
    }
  }
}

/// The element type and the shape of a tensor, known before anything runs.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
  /// The extent of each axis, outermost first; empty for a scalar.
  public var shape: [Int]
  public var element: ElementType

  public init(_ shape: [Int], _ element: ElementType = .real) {
    self.shape = shape
    self.element = element
  }

  public static let scalar = TensorType([])

  /// The product of the extents; `Int.max` if it does not fit, so that a hostile shape is refused
  /// instead of trapping.
  public var elementCount: Int {
    var count = 1
    for extent in shape {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      if overflows { return .max }
      count = product
    }
    return count
  }

  public var rank: Int { shape.count }

  /// The largest extent of an axis, and the largest step of an operation along one.
  ///
  /// A product of two, and a few more added, fit an `Int`.
  public static let largestExtent = Int(Int32.max)

  /// The largest number of axes, so that rules may compare every axis with every other.
  public static let largestRank = 32

  /// Whether a tensor can be of this type: at most ``largestRank`` axes, none empty or longer than
  /// ``largestExtent``, and elements that `Double` counts exactly.
  public var isRepresentable: Bool {
    rank <= Self.largestRank && shape.allSatisfy { (1...Self.largestExtent).contains($0) }
      && elementCount <= 1 << 53
  }

  /// How many elements lie between neighbours along each axis, in row-major order.
  public var strides: [Int] {
    var strides = Array(repeating: 1, count: rank)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// The same elements' type in another shape.
  public func reshaped(_ shape: [Int]) -> TensorType { TensorType(shape, element) }

  public var description: String {
    "\(element.rawValue)[\(shape.map(String.init).joined(separator: ", "))]"
  }
}

/// Operands whose types do not fit the primitive they are given to.
public struct TypeMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  public let mnemonic: String
  public let operands: [TensorType]
  public let expectation: String

  public init(_ mnemonic: String, _ operands: [TensorType], expected expectation: String) {
    self.mnemonic = mnemonic
    self.operands = operands
    self.expectation = expectation
  }

  public var description: String {
    "\(mnemonic) got (\(operands.map(\.description).joined(separator: ", "))); it needs "
      + expectation
  }
}
