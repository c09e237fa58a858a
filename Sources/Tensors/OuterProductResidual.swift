/// How far a matrix is from one outer product, or from a sum of several.
public struct OuterProductResidual: Hashable, Sendable {
  /// `‖A − Σ u vᵀ‖`, the Frobenius norm.
  public var distance: Double
  /// `‖A‖`, the Frobenius norm.
  public var norm: Double

  /// `‖A − Σ u vᵀ‖ / ‖A‖`, dimensionless; 0 for the zero matrix.
  public var relative: Double { norm > 0 ? distance / norm : 0 }
}

extension Matrix {
  /// Compares the matrix with `u vᵀ`, entry by entry.
  ///
  /// Expanding the square would cancel at 1e-8; subtracting first does not.
  ///
  /// - Parameters:
  ///   - u: shape `[outputs]`.
  ///   - v: shape `[inputs]`.
  /// - Returns: distance and norm.
  /// - Complexity: O(*outputs* × *inputs*); one pass over the bytes, on all cores.
  public func residual(outer u: [Double], _ v: [Double]) -> OuterProductResidual {
    residual(outers: [(u, v)])
  }

  /// Compares the matrix with a sum of outer products, entry by entry.
  public func residual(outers: [(u: [Double], v: [Double])]) -> OuterProductResidual {
    precondition(
      outers.allSatisfy { $0.u.count == outputs && $0.v.count == inputs },
      "factors must fit the matrix")
    let isRows = layout == .outputsByInputs
    let outer = outers.map { isRows ? $0.u : $0.v }
    let inner = outers.map { isRows ? $0.v : $0.u }
    return switch tensor.kind {
    case .float16: storedResidual(Half.self, outer, inner)
    case .bfloat16: storedResidual(BrainHalf.self, outer, inner)
    case .float32: storedResidual(Float.self, outer, inner)
    case .float64: storedResidual(Double.self, outer, inner)
    }
  }

  private func storedResidual<E: StoredElement>(
    _ element: E.Type, _ outer: [[Double]], _ inner: [[Double]]
  ) -> OuterProductResidual {
    let (height, width) = (tensor.shape[0], tensor.shape[1])
    let grain = max(1, (1 << 16) / max(width, 1))
    let blocks = BlockedLoop.map(count: height, grain: grain) { rows in
      var sums = SIMD2<Double>.zero
      for row in rows {
        let factors = outer.map { $0[row] }
        sums += rowResidual(element, row, factors, inner, width)
      }
      return sums
    }
    let sums = blocks.reduce(SIMD2<Double>.zero, +)
    return OuterProductResidual(distance: sums[0].squareRoot(), norm: sums[1].squareRoot())
  }

  /// Squared distance and squared norm of one stored row.
  private func rowResidual<E: StoredElement>(
    _ element: E.Type, _ row: Int, _ factors: [Double], _ inner: [[Double]], _ width: Int
  ) -> SIMD2<Double> {
    let stride = tensor.kind.byteCount
    // Safe: the row lies inside the tensor, and every factor has one number per column.
    let address = unsafe tensor.base + row * width * stride
    var missed = SIMD8<Double>(), total = SIMD8<Double>()
    let whole = width & ~7
    for column in Swift.stride(from: 0, to: whole, by: 8) {
      let entry = unsafe E.load8(address + column * stride)
      var gap = entry
      for (factor, vector) in zip(factors, inner) {
        unsafe vector.withUnsafeBytes { bytes in
          guard let start = bytes.baseAddress else { return }
          unsafe gap -= factor * Double.load8(start + column * 8)
        }
      }
      missed += gap * gap
      total += entry * entry
    }
    for column in whole..<width {
      let entry = unsafe E.load(address + column * stride)
      let gap = entry - zip(factors, inner).reduce(0) { $0 + $1.0 * $1.1[column] }
      missed[0] += gap * gap
      total[0] += entry * entry
    }
    return SIMD2(missed.sum(), total.sum())
  }
}
