/// The weights of a dense layer, or their gradient: rows are outputs, columns are inputs.
///
/// Frameworks disagree on which axis is stored first; a matrix hides that.
///
/// - Shape: `[outputs, inputs]`, whichever way it is stored.
public struct Matrix: Sendable {
  /// Which axis of the stored array is the outer one.
  public enum Layout: String, Codable, Sendable {
    /// PyTorch's `nn.Linear`: `[outputs, inputs]`.
    case outputsByInputs
    /// Keras' and Flax' `Dense`: `[inputs, outputs]`.
    case inputsByOutputs

    /// The layout of the transposed array.
    public var swapped: Layout { self == .outputsByInputs ? .inputsByOutputs : .outputsByInputs }
  }

  public let tensor: Tensor
  public let layout: Layout

  /// - Precondition: `tensor` has two axes.
  public init(_ tensor: Tensor, layout: Layout) {
    precondition(tensor.shape.count == 2, "a matrix has two axes")
    self.tensor = tensor
    self.layout = layout
  }

  public var outputs: Int { tensor.shape[layout == .outputsByInputs ? 0 : 1] }
  public var inputs: Int { tensor.shape[layout == .outputsByInputs ? 1 : 0] }

  /// The matrix with outputs and inputs exchanged; nothing is copied.
  public var transposed: Matrix { Matrix(tensor, layout: layout.swapped) }

  /// One entry of the weight from input `column` to output `row`.
  public subscript(row: Int, column: Int) -> Double {
    layout == .outputsByInputs
      ? tensor[row * inputs + column] : tensor[column * outputs + row]
  }

  /// The weights into output `row`, shape `[inputs]`.
  public func row(_ row: Int) -> [Double] { (0..<inputs).map { self[row, $0] } }

  /// The weights out of input `column`, shape `[outputs]`.
  public func column(_ column: Int) -> [Double] { (0..<outputs).map { self[$0, column] } }

  /// `A·x`, shape `[outputs]`.
  ///
  /// - Precondition: `x` has ``inputs`` entries.
  public func callAsFunction(_ x: [Double]) -> [Double] {
    precondition(x.count == inputs, "a product needs one factor per input")
    return layout == .outputsByInputs ? storedProduct(x) : storedTransposeProduct(x)
  }

  /// `Aᵀ·y`, shape `[inputs]`.
  ///
  /// - Precondition: `y` has ``outputs`` entries.
  public func transposeProduct(_ y: [Double]) -> [Double] { transposed(y) }
}

extension Matrix {
  private var innerCount: Int { tensor.shape[1] }
  private var outerCount: Int { tensor.shape[0] }
  /// Stored rows per block: about 64 Ki elements.
  private var grain: Int { max(1, (1 << 16) / max(innerCount, 1)) }

  /// Stored rows times `x`.
  private func storedProduct(_ x: [Double]) -> [Double] {
    switch tensor.kind {
    case .float16: storedProduct(Half.self, x)
    case .bfloat16: storedProduct(BrainHalf.self, x)
    case .float32: storedProduct(Float.self, x)
    case .float64: storedProduct(Double.self, x)
    }
  }

  private func storedProduct<E: StoredElement>(_ element: E.Type, _ x: [Double]) -> [Double] {
    let (width, stride) = (innerCount, tensor.kind.byteCount)
    let blocks = BlockedLoop.map(count: outerCount, grain: grain) { rows in
      unsafe x.withUnsafeBytes { x in
        rows.map { row in
          // Safe: the row lies inside the tensor, and `x` has one number per stored column.
          unsafe Self.dot(element, tensor.base + row * width * stride, x.baseAddress, width, stride)
        }
      }
    }
    return blocks.flatMap { $0 }
  }

  // Safe: `count` numbers lie at each address.
  @inline(__always)
  private static func dot<E: StoredElement>(
    _ element: E.Type, _ row: UnsafeRawPointer, _ x: UnsafeRawPointer?, _ count: Int, _ stride: Int
  ) -> Double {
    guard let x = unsafe x else { return 0 }
    var first = SIMD8<Double>(), second = SIMD8<Double>()
    var index = 0
    while index + 16 <= count {
      unsafe first += E.load8(row + index * stride) * Double.load8(x + index * 8)
      unsafe second += E.load8(row + (index + 8) * stride) * Double.load8(x + (index + 8) * 8)
      index += 16
    }
    var rest = 0.0
    while index < count {
      unsafe rest += E.load(row + index * stride) * Double.load(x + index * 8)
      index += 1
    }
    return (first + second).sum() + rest
  }

  /// The transpose of the stored array times `y`.
  private func storedTransposeProduct(_ y: [Double]) -> [Double] {
    switch tensor.kind {
    case .float16: storedTransposeProduct(Half.self, y)
    case .bfloat16: storedTransposeProduct(BrainHalf.self, y)
    case .float32: storedTransposeProduct(Float.self, y)
    case .float64: storedTransposeProduct(Double.self, y)
    }
  }

  private func storedTransposeProduct<E: StoredElement>(
    _ element: E.Type, _ y: [Double]
  ) -> [Double] {
    let (width, stride) = (innerCount, tensor.kind.byteCount)
    // Wider blocks than elsewhere: each carries a partial result of `width` numbers.
    let blocks = BlockedLoop.map(count: outerCount, grain: max(grain, (outerCount + 15) / 16)) {
      rows in
      var sum = [Double](repeating: 0, count: width)
      unsafe sum.withUnsafeMutableBytes { sum in
        guard let sum = sum.baseAddress else { return }
        for row in rows where y[row] != 0 {
          // Safe: the row lies inside the tensor, and `sum` has one number per stored column.
          unsafe Self.accumulate(
            element, tensor.base + row * width * stride, y[row], into: sum, width, stride)
        }
      }
      return sum
    }
    guard var total = blocks.first else { return [Double](repeating: 0, count: width) }
    for block in blocks.dropFirst() {
      for index in total.indices { total[index] += block[index] }
    }
    return total
  }

  // Safe: `count` numbers lie at each address.
  @inline(__always)
  private static func accumulate<E: StoredElement>(
    _ element: E.Type, _ row: UnsafeRawPointer, _ factor: Double,
    into sum: UnsafeMutableRawPointer, _ count: Int, _ stride: Int
  ) {
    var index = 0
    while index + 8 <= count {
      let old = unsafe Double.load8(UnsafeRawPointer(sum) + index * 8)
      let new = unsafe old + factor * E.load8(row + index * stride)
      unsafe (sum + index * 8).storeBytes(of: new, as: SIMD8<Double>.self)
      index += 8
    }
    while index < count {
      let old = unsafe Double.load(UnsafeRawPointer(sum) + index * 8)
      let new = unsafe old + factor * E.load(row + index * stride)
      unsafe (sum + index * 8).storeBytes(of: new, as: Double.self)
      index += 1
    }
  }
}
