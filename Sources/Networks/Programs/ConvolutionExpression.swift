public import TensorIR

extension Convolution {
  private static let depthwiseKernel = ParameterRole.other("depthwise_kernel")
  private static let pointwiseKernel = ParameterRole.other("pointwise_kernel")

  public func ownRole(for role: ParameterRole) -> ParameterRole {
    variant == .depthwise && role == Self.depthwiseKernel ? .weight : role
  }

  public func arrangement(
    of role: ParameterRole, shape: [Int], in convention: ParameterTable.Convention
  ) -> ParameterArrangement {
    guard role == .weight || role == Self.depthwiseKernel || role == Self.pointwiseKernel else {
      return ParameterArrangement(shape)
    }
    let axes = Array(0..<kernel.count)
    let (inner, outer) = (shape[kernel.count], shape[kernel.count + 1])
    if variant == .transposed, role == .weight {
      // The graph holds `[K…, outputs / groups, inputs]`.
      if hasSwappedKernel { return .kernel(shape, in: convention) }
      let split = Array(shape[..<kernel.count]) + [inner, groups, outer / groups]
      let first = kernel.count
      let parted = ParameterArrangement(shape).reshaped(split)
      return convention == .channelsFirst
        ? parted.transposed([first + 1, first, first + 2] + axes)
          .reshaped([inner * groups, outer / groups] + shape[..<kernel.count])
        : parted.transposed(axes + [first + 2, first + 1, first])
          .reshaped(shape[..<kernel.count] + [outer / groups, inner * groups])
    }
    let isDepthwise = variant == .depthwise || role == Self.depthwiseKernel
    guard isDepthwise, convention == .channelsLast else { return .kernel(shape, in: convention) }
    let each = variant == .depthwise ? filters : multiplier
    return ParameterArrangement(shape).reshaped(shape[..<kernel.count] + [outer / each, each])
  }

  public func forward(
    _ inputs: [FeatureMap], in pass: inout ForwardPass
  ) throws(UnsupportedLayer) -> FeatureMap {
    let x = inputs[0].channelsLast(declaredFirst: channelsFirst, in: &pass.graph)
    let channels = x.type.shape[x.type.rank - 1]
    var result: Value
    switch variant {
    case .plain:
      let weight = try pass.parameter(.weight, kernel + [channels / groups, filters])
      result = try pass.apply(TensorIR.Convolution(try geometry(over: x, groups)), x, weight)
    case .depthwise:
      let weight = try pass.parameter(.weight, kernel + [1, channels * filters])
      result = try pass.apply(TensorIR.Convolution(try geometry(over: x, channels)), x, weight)
    case .separable:
      let wide = channels * multiplier
      let depthwise = try pass.parameter(Self.depthwiseKernel, kernel + [1, wide])
      let geometry = try geometry(over: x, channels)
      let pointwise = try pass.parameter(
        Self.pointwiseKernel, kernel.map { _ in 1 } + [wide, filters])
      result = try pass.apply(TensorIR.Convolution(geometry), x, depthwise)
      result = try pass.apply(TensorIR.Convolution(.pointwise(kernel.count)), result, pointwise)
    case .transposed:
      let weight = try pass.parameter(.weight, kernel + [filters / groups, channels])
      result = try pass.apply(
        ConvolutionInputTranspose(try geometry(over: x, groups), input: spatialOutput(of: x)), x,
        weight)
    }
    if hasBias {
      let bias = try pass.parameter(.bias, [result.type.shape[result.type.rank - 1]])
      result = pass.graph.apply(Add(), result, pass.graph.spreadLast(bias, of: result.type))
    }
    return FeatureMap(result, isHeldChannelsLast: channelsFirst)
  }

  private func spatialOutput(of x: Value) -> [Int] {
    kernel.indices.compactMap { placement($0, x.type.shape[$0 + 1])?.output }
  }

  private func geometry(
    over x: Value, _ groups: Int
  ) throws(UnsupportedLayer) -> ConvolutionGeometry {
    guard let geometry = geometry(spatial: Array(x.type.shape[1...kernel.count]), groups: groups)
    else { throw UnsupportedLayer(self, "a window does not fit") }
    return geometry
  }

  /// How the kernel moves over spatial axes of these extents; for a transposed layer, how that of
  /// the convolution moves that is transposed.
  ///
  /// - Returns: `nil` if a window does not fit.
  public func geometry(spatial: [Int], groups: Int) -> ConvolutionGeometry? {
    guard spatial.count == kernel.count else { return nil }
    let placements = kernel.indices.compactMap { placement($0, spatial[$0]) }
    guard placements.count == kernel.count else { return nil }
    return ConvolutionGeometry(
      stride: stride, low: placements.map(\.low), high: placements.map(\.high),
      dilation: dilation, groups: groups)
  }
}

extension ConvolutionGeometry {
  /// A kernel of one place.
  fileprivate static func pointwise(_ rank: Int) -> ConvolutionGeometry {
    let (ones, zeros) = (Array(repeating: 1, count: rank), Array(repeating: 0, count: rank))
    return ConvolutionGeometry(stride: ones, low: zeros, high: zeros, dilation: ones)
  }
}
