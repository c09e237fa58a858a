internal import LinearAlgebra
internal import Networks
internal import TensorIR

extension CascadeWalk {
  /// Finds the active entries of a map of which only the means are known, such as the last one in
  /// front of global average pooling, from the zero padding of the convolution below or, without that,
  /// by trying all.
  ///
  /// - Returns: What they follow from, if the loss gradient below the activation is now known.
  func leapOverMean(_ source: Network.Source, _ readers: [Int]) throws(CascadeStop) -> String? {
    guard case .node(let node) = source, case .elementwise(let function) = linearity(node),
      let levels = function.levels, let arriving = gradients[source],
      let below = network.nodes[node].sources.first, let channels = programs.shape(of: source).last
    else { return nil }
    let places = arriving.count / channels
    let means = Array(arriving[..<channels])
    guard means.contains(where: { $0 != 0 }),
      arriving.indices.allSatisfy({
        abs(arriving[$0] - means[$0 % channels]) <= 1e-9 * abs(means[$0 % channels])
      })
    else { return nil }
    guard let base = foundation(of: below) else {
      throw CascadeStop("no convolution with observed gradient lies under \(name(below))", at: node)
    }
    let scales = zip(means, base.factors).map { $0 * $1 }
    let sums = base.sums.map { zip($0, means).map { $1 == 0 ? 0 : $0 / $1 } }
    let slopes: DenseMatrix
    do throws(PatchWalkFailure) {
      slopes = try withTolerances(of: base) { (tolerance) throws(PatchWalkFailure) in
        try self.slopes(
          base, scales: scales, levels: levels, sums: sums, tolerance: tolerance)
      }
    } catch {
      throw CascadeStop(
        "the active entries of \(name(source)) were not found from '\(network.nodes[base.site.node].name)': \(error)",
        at: node)
    }
    var gradient = arriving
    for place in 0..<places {
      for channel in 0..<channels {
        gradient[place * channels + channel] *= slopes[channel, place]
      }
    }
    gradients[below] = gradient
    gradientErrors[below] = gradientErrors[source]
    return base.site.isWalked
      ? "the active entries follow from the zero padding of the layer below"
      : "the active entries follow from having two slopes, their order from patches that overlap"
  }

  private func slopes(
    _ base: Foundation, scales: [Double], levels: [Double], sums: [Double]?,
    tolerance: Double
  ) throws(PatchWalkFailure) -> DenseMatrix {
    let site = base.site
    let largest = scales.reduce(0) { max($0, abs($1)) }
    // Channels with a small gradient are mostly noise; they are read off last.
    func live(_ least: Double) -> [Int] {
      scales.indices.filter { channel in
        abs(scales[channel]) > least * largest && (sums.map { abs($0[channel]) > 0.25 } ?? true)
      }
    }
    let strong = live(3e-3).count >= 2 * site.outputPlaces ? live(3e-3) : live(1e-7)
    let q = base.quotient(scales)
    let rows = q.rows(at: strong)
    let known = sums.map { sums in strong.map { Optional(sums[$0]) } }
    let mask: DenseMatrix
    if site.isWalked {
      let walk = try PatchWalk(rows, site.patchMap(), tolerance: tolerance)
      mask = try GlobalPoolingMask(walk, levels: levels, sums: known).slopes
    } else {
      mask = try PositionEnumeration(
        rows, positions: site.outputPlaces, levels: levels, sums: known, tolerance: tolerance
      ).slopes
    }
    var slopes = Array(repeating: 0.0, count: site.outputs * site.outputPlaces)
    for (row, channel) in strong.enumerated() {
      for place in 0..<site.outputPlaces {
        slopes[place * site.outputs + channel] = mask[row, place]
      }
    }
    let rest = Set(live(1e-9)).subtracting(strong).sorted()
    if !rest.isEmpty {
      // With the patches known, each further channel is a small least-squares problem.
      guard let patches = try? QRDecomposition(mask).solve(rows),
        let factors = try? QRDecomposition(patches.transposed)
      else { throw .noPadding }
      let found = factors.solve(q.rows(at: rest).transposed)
      for (column, channel) in rest.enumerated() {
        for place in 0..<site.outputPlaces {
          let entry = found[place, column]
          slopes[place * site.outputs + channel] =
            levels.min { abs($0 - entry) < abs($1 - entry) } ?? 0
        }
      }
    }
    let found = DenseMatrix(rows: site.outputs, columns: site.outputPlaces, elements: slopes)
    return site.isWalked ? found : try ordered(found, base, scales: scales)
  }

  /// Tries how much noisier than its storage the weight gradient may be.
  ///
  /// What a framework computes in single precision is less exact than that. A wrong guess is a
  /// failure, never a wrong answer.
  func withTolerances<Result>(
    of base: Foundation, _ body: (Double) throws(PatchWalkFailure) -> Result
  ) throws(PatchWalkFailure) -> Result {
    var failures: [PatchWalkFailure] = []
    for factor in [3.0, 10, 30, 100] {
      do throws(PatchWalkFailure) {
        return try body(factor * base.relativeError)
      } catch {
        failures.append(error)
      }
    }
    // With the wrong tolerance a walk fails early; the one that came farthest names the reason.
    let farthest = failures.map(\.stage).max()
    throw failures.first { $0.stage == farthest } ?? .noPadding
  }
}

extension KernelSite {
  /// Whether positions are found by a walk from the border.
  fileprivate var isWalked: Bool { taps > 1 && patchMap().hasCorner }

  /// The geometry as the patch walk wants it, for the first rows and columns of the output.
  func patchMap(height: Int? = nil, width: Int? = nil) -> PatchWalk.Map {
    let extents = [height ?? outputExtents[0], width ?? outputExtents[1]]
    let geometry =
      geometry
      ?? ConvolutionGeometry(
        stride: [1, 1], low: [0, 0], high: [0, 0], dilation: [1, 1])
    let high = (0..<2).map { axis in
      let reach =
        (extents[axis] - 1) * geometry.stride[axis]
        + geometry.dilation[axis] * (kernel[axis] - 1) + 1
      return max(0, reach - geometry.low[axis] - inputExtents[axis])
    }
    return PatchWalk.Map(
      height: extents[0], width: extents[1], kernel: kernel, low: geometry.low, high: high,
      stride: geometry.stride.max() ?? 1, inputs: inputs)
  }
}
