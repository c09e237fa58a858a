extension Tensor {
  /// The element-wise difference, in `Double`.
  ///
  /// - Precondition: both have the same shape.
  public func subtracting(_ other: Tensor) -> Tensor {
    precondition(shape == other.shape, "a difference needs equal shapes")
    return Tensor(
      zip(elements(), other.elements()).map { $0 - $1 }, shape: shape,
      resolution: resolution.coarser(of: other.resolution))
  }
}

extension ElementKind {
  /// The kind with the larger rounding error.
  public func coarser(of other: ElementKind) -> ElementKind {
    unitRoundoff >= other.unitRoundoff ? self : other
  }
}
