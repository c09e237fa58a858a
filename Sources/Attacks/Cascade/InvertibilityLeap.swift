internal import LinearAlgebra
internal import Networks
internal import TensorIR

/// Whether the loss gradient behind a pooling is found, though the map in front of it stays open.
struct InvertibilityLeap {
  /// How it is found: by the walk from zero padding or, without that, by trying all positions.
  private(set) var route = "padding walk"
  /// Why there is no walk; `nil` if there is one.
  let obstacle: String?
  /// What the walk finds, if there is one.
  let finding: String
  /// The convolution over whose weight gradient it goes.
  let node: Int?
  let equations: Int

  /// - Parameters:
  ///   - source: The map that is pooled.
  ///   - pool: What reads it.
  ///   - simulation: One sample.
  /// - Throws: ``CascadeStop`` if a number is not finite.
  init(
    _ source: Network.Source, into pool: Int, _ simulation: InvertibilitySimulation
  ) throws(CascadeStop) {
    let network = simulation.network
    let (found, function) = Self.convolution(below: source, network)
    node = found
    guard let found, let layer = network.nodes[found].layer as? Networks.Convolution,
      let input = network.nodes[found].sources.first,
      let site = KernelSite(
        found, of: network, input: simulation.programs.shape(of: input),
        output: simulation.programs.shape(of: .node(found))),
      let gradient = simulation.gradients[found]
    else {
      (obstacle, finding, equations) = ("no plain convolution lies directly below", "", 0)
      return
    }
    equations = site.equationsPerChannel * site.inputs
    if let reason = Self.obstacle(function, into: network.nodes[pool].layer)
      ?? Self.obstacle(layer, site)
    {
      (obstacle, finding) = (reason, "")
      return
    }
    var map = PatchWalk.Map(
      height: site.outputExtents[0], width: site.outputExtents[1], kernel: site.kernel,
      low: site.geometry?.low ?? [0, 0], high: site.geometry?.high ?? [0, 0],
      stride: layer.stride.max() ?? 1, inputs: site.inputs)
    if let pooling = network.nodes[pool].layer as? Pooling, pooling.statistic == .maximum {
      map = Self.covered(map, by: pooling)
    }
    let active = (0..<site.outputPlaces).filter { place in
      gradient[place * site.outputs..<(place + 1) * site.outputs].contains { $0 != 0 }
    }
    let isMaximum = (network.nodes[pool].layer as? Pooling)?.statistic == .maximum
    if site.taps == 1 || !(map.hasCorner || isMaximum) {
      route = "enumeration of positions"
      if let reason = Self.orderObstacle(below: site, simulation) {
        (obstacle, finding) = (reason, "")
        return
      }
    } else if let failure = map.obstacle(outputs: site.outputs, positions: active.count) {
      let sentence = failure.description.prefix { $0 != "." }
      let reason = sentence.prefix(1).lowercased() + sentence.dropFirst()
      let leads =
        isMaximum && site.hasEquationsToSpare
        ? "; a picture that is about right leads past it, as an attack on a gradient may find one"
        : ""
      (obstacle, finding) = (reason + leads, "")
      return
    }
    let mask = GradientRows.gathered(gradient, active, of: site.outputs, 0..<site.outputs)
    let rank: Int
    do throws(LinearAlgebraError) {
      rank = try SingularValueDecomposition(mask)
        .rank(relativeTolerance: Invertibility.rankTolerance)
    } catch {
      throw CascadeStop("the gradient cannot be factored: \(error)")
    }
    obstacle =
      rank == active.count
      ? nil : "the gradients of \(active.count) positions have rank \(rank) only"
    finding = "\(active.count) of \(site.outputPlaces) positions carry a gradient, of rank \(rank)"
  }

  /// The convolution from which a map comes by scaling, sums and one function of every entry.
  private static func convolution(
    below source: Network.Source, _ network: Network
  ) -> (node: Int?, function: ActivationFunction?) {
    var function: ActivationFunction?
    var open = [source]
    while let next = open.popLast() {
      guard case .node(let node) = next else { continue }
      if network.nodes[node].layer is Networks.Convolution { return (node, function) }
      switch LayerLinearity(network.nodes[node].layer) {
      case .elementwise(let found) where function == nil:
        function = found
        open = [network.nodes[node].sources[0]]
      case .entrywiseAffine: open.append(network.nodes[node].sources[0])
      // The main branch of a block comes first.
      case .sum: open += network.nodes[node].sources.reversed()
      default: continue
      }
    }
    return (nil, function)
  }

  /// Why positions are not found by trying all, or not their order.
  private static func orderObstacle(
    below site: KernelSite, _ simulation: InvertibilitySimulation
  ) -> String? {
    let limit = PositionEnumeration.positionLimit
    guard site.outputPlaces <= limit else {
      return "\(site.outputPlaces) positions are too many to enumerate"
    }
    guard site.outputs > site.outputPlaces else {
      return "\(site.outputs) output channels are too few for \(site.outputPlaces) positions"
    }
    guard site.taps == 1 else { return nil }
    let network = simulation.network
    var node = site.node
    while let source = network.nodes[node].sources.first,
      let next = Self.convolution(below: source, network).node,
      let input = network.nodes[next].sources.first,
      let below = KernelSite(
        next, of: network, input: simulation.programs.shape(of: input),
        output: simulation.programs.shape(of: .node(next))),
      below.outputPlaces == site.outputPlaces, below.groups == 1
    {
      if below.taps > 1 { return nil }
      node = next
    }
    return "nothing below tells in which order the positions lie"
  }

  private static func obstacle(
    _ function: ActivationFunction?, into pool: any Layer
  ) -> String? {
    guard let pooling = pool as? Pooling, pooling.statistic == .maximum else {
      switch function {
      case .relu, .leakyReLU, .relu6, .hardSigmoid: return nil
      case nil: return nil
      case .some(let other): return "the slopes of \(other.name) are not of two values"
      }
    }
    guard function == nil || function == .relu else {
      return "the slopes of \(function?.name ?? "") at the maxima are not known"
    }
    guard pooling.window == pooling.stride, pooling.outputExtents == nil,
      !pooling.window.isEmpty, pooling.dilation.allSatisfy({ $0 == 1 }),
      pooling.padding == .valid || isUnpadded(pooling)
    else { return "windows of the pooling overlap or are padded" }
    return nil
  }

  private static func isUnpadded(_ pooling: Pooling) -> Bool {
    switch pooling.padding {
    case .explicit(let amounts): amounts.allSatisfy { $0 == 0 }
    default: false
    }
  }

  private static func obstacle(_ layer: Networks.Convolution, _ site: KernelSite) -> String? {
    guard site.outputExtents.count == 2 else { return "the walk is for two spatial axes" }
    guard site.groups == 1 else { return "the convolution below has \(site.groups) groups" }
    guard layer.dilation.allSatisfy({ $0 == 1 }) else {
      return "the convolution below is dilated"
    }
    let (low, high) = (site.geometry?.low ?? [], site.geometry?.high ?? [])
    guard (0..<2).allSatisfy({ max(low[$0], high[$0]) < site.kernel[$0] }) else {
      return "the padding below is wider than the kernel"
    }
    return nil
  }

  /// The positions that windows cover; those behind carry no gradient.
  private static func covered(_ map: PatchWalk.Map, by pooling: Pooling) -> PatchWalk.Map {
    let extents = zip([map.height, map.width], pooling.window).map { $0 / $1 * $1 }
    guard extents.allSatisfy({ $0 > 0 }) else { return map }
    let high = [0, 1].map { axis in
      max(map.high[axis] - ([map.height, map.width][axis] - extents[axis]), 0)
    }
    return PatchWalk.Map(
      height: extents[0], width: extents[1], kernel: map.kernel, low: map.low, high: high,
      stride: map.stride, inputs: map.inputs)
  }
}
