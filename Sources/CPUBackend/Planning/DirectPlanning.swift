internal import COneDNN
internal import TensorIR

extension ConvolutionForm {
  /// Whether our own direct form is the fastest, or as fast and without oneDNN's heap: its calls set up
  /// their arguments there, seven blocks each.
  ///
  /// Times of oneDNN (2.6, in Float, two threads) and of products over windows (OpenBLAS 0.3.21, in
  /// Double, one thread) over those of the direct form: forward, gradient in the input, in the kernel:
  ///
  /// | Channels | Map | Kernel | Stride | Float, AVX-512 | Float, AVX2 | Double, AVX-512 |
  /// |---|---|---|---|---|---|---|
  /// | 3 → 12 | 32 × 32 | 5 × 5 | 2 | 1.02, 1.64, 0.93 | 1.10, 2.88, 1.15 | 1.19, 1.03, 1.26 |
  /// | 12 → 12 | 16 × 16 | 5 × 5 | 2 | 1.03, 0.71, 1.15 | 1.23, 0.80, 1.05 | 1.01, 1.09, 0.93 |
  /// | 12 → 12 | 8 × 8 | 5 × 5 | 1 | 0.96, 0.69, 1.00 | 1.17, 0.83, 0.98 | 1.04, 1.27, 0.96 |
  /// | 6 → 16 | 14 × 14 | 5 × 5 | 1 | 1.11, 0.48, 1.36 | 1.38, 0.41, 1.15 | 1.28, 0.66, 1.24 |
  /// | 16 → 16 | 32 × 32 | 3 × 3 | 1 | 0.94, 0.87, 1.73 | 1.17, 0.95, 0.96 | 1.76, 1.63, 1.85 |
  /// | 64 → 64 | 16 × 16 | 3 × 3 | 1 | 0.91, 0.86, 0.94 | 0.99, 0.85, 0.97 | 1.33, 1.20, 1.28 |
  /// | 64 → 128 | 16 × 16 | 3 × 3 | 2 | 0.92, 0.27, 0.98 | | 1.26, 0.39, 1.11 |
  /// | 256 → 256 | 8 × 8 | 3 × 3 | 1 | 0.84, 0.45, 0.85 | 0.59, 0.35, 0.99 | 1.34, 0.89, 1.10 |
  /// | 512 → 512 | 4 × 4 | 3 × 3 | 1 | 0.57, 0.09, 0.77 | 0.52, 0.10, 1.10 | 0.43, 0.27, 0.64 |
  func isFasterDirectly(isDouble: Bool) -> Bool {
    let taps = shape.kernel.0 * shape.kernel.1
    let weights = taps * shape.inputs * shape.outputs
    let strides = shape.stride.0 * shape.stride.1
    guard shape.axes <= 2, shape.groups == 1, shape.dilation.0 == 1, shape.dilation.1 == 1,
      leak_has_avx2()
    else { return false }
    // Counted in Double, where no extents overflow; an empty convolution has no lines to pad.
    let windows = Double(shape.batch) * Double(shape.output.0) * Double(shape.output.1)
    let products = windows * Double(weights)
    guard products > 0, isDouble || products <= 0x1p18 else { return false }
    // Columns of the product fill vectors; the kernel stays in a cache.
    guard direction == .inputGradient else {
      return shape.outputs >= 8 && weights <= 1 << 20
    }
    // Every pixel between two strides is given as many taps as the one with the most.
    let near =
      (shape.kernel.0 + shape.stride.0 - 1) / shape.stride.0
      * ((shape.kernel.1 + shape.stride.1 - 1) / shape.stride.1)
    return strides * shape.inputs >= 8 && weights <= 1 << 15 && 2 * near * strides <= 3 * taps
  }
}
