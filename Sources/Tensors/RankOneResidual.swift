/// How far a matrix is from one outer product.
public struct RankOneResidual: Hashable, Sendable {
  /// `‖A − u vᵀ‖`, the Frobenius norm.
  public var distance: Double
  /// `‖A‖`, the Frobenius norm.
  public var norm: Double

  /// `‖A − u vᵀ‖ / ‖A‖`, dimensionless; 0 for the zero matrix.
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
  /// - Complexity: O(*outputs* × *inputs*); one pass over the bytes, on all cores.
  public func residual(outer u: [Double], _ v: [Double]) -> RankOneResidual {
    precondition(u.count == outputs && v.count == inputs, "factors must fit the matrix")
    let (outer, inner) = layout == .outputsByInputs ? (u, v) : (v, u)
    return switch tensor.kind {
    case .float16: storedResidual(Half.self, outer, inner)
    case .bfloat16: storedResidual(BrainHalf.self, outer, inner)
    case .float32: storedResidual(Float.self, outer, inner)
    case .float64: storedResidual(Double.self, outer, inner)
    }
  }

  private func storedResidual<E: StoredElement>(
    _ element: E.Type, _ outer: [Double], _ inner: [Double]
  ) -> RankOneResidual {
    let (width, stride) = (inner.count, tensor.kind.byteCount)
    let grain = max(1, (1 << 16) / max(width, 1))
    let blocks = BlockedLoop.map(count: outer.count, grain: grain) { rows in
      var missed = SIMD8<Double>(), total = SIMD8<Double>()
      unsafe inner.withUnsafeBytes { inner in
        guard let inner = inner.baseAddress else { return }
        for row in rows {
          // Safe: the row lies inside the tensor, and `inner` has one number per column.
          let address = unsafe tensor.base + row * width * stride
          var column = 0
          while column + 8 <= width {
            let entry = unsafe E.load8(address + column * stride)
            let gap = unsafe entry - outer[row] * Double.load8(inner + column * 8)
            missed += gap * gap
            total += entry * entry
            column += 8
          }
          while column < width {
            let entry = unsafe E.load(address + column * stride)
            let gap = unsafe entry - outer[row] * Double.load(inner + column * 8)
            missed[0] += gap * gap
            total[0] += entry * entry
            column += 1
          }
        }
      }
      return SIMD2(missed.sum(), total.sum())
    }
    let sums = blocks.reduce(SIMD2<Double>.zero, +)
    return RankOneResidual(distance: sums[0].squareRoot(), norm: sums[1].squareRoot())
  }
}
