extension Tensor {
  /// The element-wise difference, in `Double`.
  ///
  /// - Precondition: both have the same shape.
  public func subtracting(_ other: Tensor) -> Tensor {
    precondition(shape == other.shape, "a difference needs equal shapes")
    let storage = OwnedStorage(count: count) { range in
      zip(elements(in: range), other.elements(in: range)).map { $0 - $1 }
    }
    return Tensor(
      storage: storage, byteOffset: 0, shape: shape, kind: .float64,
      resolution: resolution.coarser(of: other.resolution))
  }
}

extension ElementKind {
  /// The kind with the larger rounding error.
  public func coarser(of other: ElementKind) -> ElementKind {
    unitRoundoff >= other.unitRoundoff ? self : other
  }
}
