extension Tensor {
  /// The same tensor, marked with the coarsest common format on whose grid its values lie.
  ///
  /// A gradient cast to half precision and saved as `float32` is only known to 11 bits. A sample of up
  /// to 4,096 evenly spaced elements decides; fewer than 32 non-zero ones leave the format as it is.
  public func detectingResolution() -> Tensor {
    guard kind == .float32 || kind == .float64 else { return self }
    let step = max(1, count / 4_096)
    let values = stride(from: 0, to: count, by: step).map { self[$0] }
      .filter { $0 != 0 && $0.isFinite }
    guard values.count >= 32 else { return self }
    let grids: [ElementKind] = [.bfloat16, .float16, .float32]
    let found = grids.first { grid in values.allSatisfy { grid.holds($0) } }
    guard let found, found.unitRoundoff > kind.unitRoundoff else { return self }
    return Tensor(
      storage: storage, byteOffset: byteOffset, shape: shape, kind: kind, resolution: found,
      cache: cache)
  }
}

extension ElementKind {
  /// Whether a number is exactly representable.
  fileprivate func holds(_ x: Double) -> Bool {
    switch self {
    case .float64: return true
    case .float32: return Double(Float(x)) == x
    case .bfloat16: return Double(Float(x)) == x && Float(x).bitPattern & 0xffff == 0
    case .float16:
      // 11 significant bits down to 2⁻¹⁴, a fixed grid of 2⁻²⁴ below.
      guard x.magnitude <= 65_504 else { return false }
      let grid = max(x.exponent, -14) - 10
      let scaled = x * Double(sign: .plus, exponent: -grid, significand: 1)
      return scaled == scaled.rounded()
    }
  }
}
