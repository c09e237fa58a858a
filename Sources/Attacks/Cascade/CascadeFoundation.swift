internal import LinearAlgebra
internal import Networks

extension CascadeWalk {
  /// A convolution below a value, with what its output is multiplied by on the way up.
  struct Foundation {
    var site: KernelSite
    /// One factor per output channel.
    var factors: [Double]
    /// The sum of the loss gradient over the places, per output channel, at some point on the way,
    /// divided by the factor from there up; `nil` if no bias or shift tells it.
    var sums: [Double]?
    var weightGradient: [Double]
    /// Standard error of an entry of the weight gradient relative to their root mean square.
    var relativeError: Double
  }

  /// The convolution under a value that only scales, shifts and sums of maps separate from it.
  func foundation(of source: Network.Source) -> Foundation? {
    guard let channels = programs.shape(of: source).last else { return nil }
    let found = foundations(of: source, Array(repeating: 1, count: channels), nil)
    return found.max { $0.site.suitability < $1.site.suitability }
  }

  /// The convolutions whose loss gradient is that in front of an activation, scaled by channel.
  func foundations(directlyBelow activation: Int) -> [Foundation] {
    guard let below = network.nodes[activation].sources.first,
      let channels = programs.shape(of: below).last
    else { return [] }
    return foundations(of: below, Array(repeating: 1, count: channels), nil, isReadOnce: true)
  }

  // With isReadOnce, values that other layers read too lead no further.
  private func foundations(
    of source: Network.Source, _ factors: [Double], _ sums: [Double]?, isReadOnce: Bool = false
  ) -> [Foundation] {
    guard case .node(let node) = source else { return [] }
    if isReadOnce, readers(of: source).count > 1 { return [] }
    let entry = network.nodes[node]
    func divided(_ role: ParameterRole) -> [Double]? {
      programs.elements(node, role, of: observation.gradient).map {
        zip($0, factors).map { $1 == 0 ? 0 : $0 / $1 }
      }
    }
    switch linearity(node) {
    case .sum:
      return entry.sources.flatMap {
        foundations(of: $0, factors, sums, isReadOnce: isReadOnce)
      }
    case .entrywiseAffine:
      guard let scale = scale(of: node), let before = entry.sources.first else { return [] }
      return foundations(
        of: before, zip(factors, scale).map { $0 * $1 }, sums ?? divided(.shift),
        isReadOnce: isReadOnce)
    case .affine:
      guard
        let (site, weightGradient) = isReadOnce ? convolution(node) : plainConvolution(node)
      else { return [] }
      let size = weightGradient.rootMeanSquareOrZero
      return [
        Foundation(
          site: site, factors: factors, sums: sums ?? divided(.bias),
          weightGradient: weightGradient,
          relativeError: size > 0 ? observation.roundingError(node, .weight) / size : 0)
      ]
    default: return []
    }
  }

  /// What a layer that scales every entry multiplies each channel by.
  func scale(of node: Int) -> [Double]? {
    let source = Network.Source.node(node)
    guard let channels = programs.shape(of: source).last, let segment = try? layer(node) else {
      return nil
    }
    segment.linearizeAnywhere()
    let ones = Array(repeating: 1.0, count: programs.count(of: source))
    return (try? segment.push([ones])).map { Array($0.prefix(channels)) }
  }

  /// An ungrouped convolution over two axes and its observed weight gradient.
  func plainConvolution(_ node: Int) -> (site: KernelSite, weightGradient: [Double])? {
    convolution(node).flatMap {
      $0.site.groups == 1 && $0.site.inputExtents.count == 2 ? $0 : nil
    }
  }

  private func convolution(_ node: Int) -> (site: KernelSite, weightGradient: [Double])? {
    guard network.nodes[node].layer is Networks.Convolution,
      let before = network.nodes[node].sources.first,
      let site = KernelSite(
        node, of: network, input: programs.shape(of: before),
        output: programs.shape(of: .node(node))),
      let weightGradient = programs.elements(node, .weight, of: observation.gradient)
    else { return nil }
    return (site, weightGradient)
  }
}

extension CascadeWalk.Foundation {
  /// The weight gradient with every output channel divided by a factor.
  ///
  /// - Shape: outputs × taps · inputs.
  func quotient(_ divisors: [Double]) -> DenseMatrix {
    let outputs = site.outputs
    return DenseMatrix(
      rows: outputs, columns: weightGradient.count / outputs,
      elements: weightGradient.indices.map { index in
        let divisor = divisors[index % outputs]
        return divisor == 0 ? 0 : weightGradient[index] / divisor
      })
  }
}

extension KernelSite {
  /// Prefers convolutions whose patches overlap over those of a single tap.
  fileprivate var suitability: Int { taps > 1 ? 2 : 1 }
}
