internal import COneDNN

extension ConvolutionForm {
  /// Whether our own Winograd transforms are faster than oneDNN's direct form.
  ///
  /// They need a quarter of the multiplications where tiles of 4 × 4 cover the map exactly, and pay
  /// for it with transforms and smaller products. Measured on one thread of a processor with AVX2
  /// (oneDNN 2.6, OpenBLAS 0.3.21), the direct form's time over theirs:
  ///
  /// | Channels | Map | Batch | Tiles | Used | Forward | In the input | In the kernel |
  /// |---|---|---|---|---|---|---|---|
  /// | 16 → 16 | 32 × 32 | 8 | 512 | 100 % | 1.24 | 0.99 | 1.28 |
  /// | 32 → 32 | 28 × 28 | 1 | 49 | 100 % | 1.53 | 1.39 | 1.90 |
  /// | 32 → 32 | 10 × 10 | 8 | 72 | 69 % | 1.31 | 0.91 | 1.54 |
  /// | 64 → 64 | 28 × 28 | 1 | 49 | 100 % | 2.03 | 1.76 | 2.24 |
  /// | 64 → 64 | 6 × 6 | 32 | 128 | 56 % | 1.32 | 0.99 | 1.56 |
  /// | 64 → 64 | 5 × 5 | 8 | 32 | 39 % | 0.80 | 0.62 | 1.05 |
  /// | 64 → 128 | 32 × 32 | 8 | 512 | 100 % | 2.36 | 2.02 | 3.11 |
  /// | 128 → 128 | 32 × 32 | 8 | 512 | 100 % | 2.66 | 2.03 | 2.81 |
  /// | 128 → 128 | 8 × 8 | 8 | 32 | 100 % | 1.53 | 1.40 | 1.93 |
  /// | 256 → 256 | 32 × 32 | 8 | 512 | 100 % | 3.39 | 2.84 | 4.20 |
  /// | 256 → 256 | 10 × 10 | 8 | 72 | 69 % | 1.62 | 1.29 | 1.90 |
  /// | 512 → 512 | 4 × 4 | 8 | 8 | 100 % | 0.67 | 0.67 | 1.40 |
  ///
  /// The machine was busy otherwise, and the transforms ran in a trial of the same scheme: repeated
  /// ratios differed by a third, so the limits below are rough.
  ///
  /// Processors with AVX-512 were not measured: there oneDNN's own transforms serve.
  var isFasterByWinograd: Bool {
    var shape = shape
    // Safe: the call reads the shape only.
    guard unsafe leak_winograd_fits(&shape), !leak_has_avx512() else { return false }
    // The gradient in the input covers the input with tiles, the others the output.
    let covered = direction == .inputGradient ? shape.input : shape.output
    let tiles = ((covered.0 + 3) / 4) * ((covered.1 + 3) / 4)
    return min(shape.inputs, shape.outputs) >= 32 && tiles * shape.batch >= 48
      && 3 * covered.0 * covered.1 >= 2 * 16 * tiles
  }
}
