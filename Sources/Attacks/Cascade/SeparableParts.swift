internal import LinearAlgebra
internal import Networks

/// A separable convolution as what it is: a depthwise convolution, then one of 1 × 1.
struct SeparableParts {
  /// The gradient equations of both kernels for the layer's input.
  let rows: GradientRows
  /// The layer as one plain convolution.
  let site: KernelSite
  /// Its kernel, `[taps, inputs, filters]`.
  let weight: [Double]

  /// - Parameters:
  ///   - node: The layer's.
  ///   - layer: A separable convolution.
  ///   - input: `[spatial…, channels]`.
  ///   - output: `[spatial…, filters]`.
  ///   - gradient: The loss gradient at its output, `[places, filters]`.
  ///   - programs: Where its kernels are.
  ///
  /// The result is `nil` if a kernel is missing.
  init?(
    _ node: Int, _ layer: Networks.Convolution, input: [Int], output: [Int], gradient: [Double],
    _ programs: LayerPrograms
  ) {
    guard let channels = input.last, let filters = output.last,
      let depthwise = programs.elements(
        node, .other("depthwise_kernel"), of: programs.weights),
      let pointwise = programs.elements(
        node, .other("pointwise_kernel"), of: programs.weights),
      let parted = Self.site(
        layer, .depthwise, filters: layer.multiplier, input,
        Array(output.dropLast()) + [channels * layer.multiplier]),
      let whole = Self.site(layer, .plain, filters: filters, input, output)
    else { return nil }
    let (wide, taps) = (channels * layer.multiplier, parted.taps)
    // What arrives at the depthwise part: the pointwise kernel's transpose at every place.
    let mixed = DenseMatrix(rows: filters, columns: wide, elements: pointwise)
      .transposeTimes(
        DenseMatrix(rows: filters, columns: whole.outputPlaces, elements: gradient))
    rows = GradientRows(
      site: parted, outputGradient: mixed.elements,
      mixing: .init(filters: filters, gradient: gradient, kernel: depthwise))
    site = whole
    var weight = Array(repeating: 0.0, count: taps * channels * filters)
    for tap in 0..<taps {
      for hidden in 0..<wide {
        let factor = depthwise[tap * wide + hidden]
        let target = (tap * channels + hidden / layer.multiplier) * filters
        for filter in 0..<filters {
          weight[target + filter] += factor * pointwise[hidden * filters + filter]
        }
      }
    }
    self.weight = weight
  }

  private static func site(
    _ layer: Networks.Convolution, _ variant: Networks.Convolution.Variant, filters: Int,
    _ input: [Int], _ output: [Int]
  ) -> KernelSite? {
    var part = layer
    part.variant = variant
    part.filters = filters
    part.groups = 1
    part.channelsFirst = false
    return KernelSite(
      0, of: Network("part", input: input.map { $0 }, ["part": part]), input: input,
      output: output)
  }
}
