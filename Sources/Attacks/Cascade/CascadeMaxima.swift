internal import AuditModel
internal import LinearAlgebra
internal import Networks
internal import TensorIR

/// Through a max pooling: which entries won.
extension CascadeWalk {
  /// A max pooling, what it reads and what lies below that.
  private struct Maximum {
    let pool: Int
    let layer: Pooling
    /// What the pooling reads.
    let source: Network.Source
    /// That, or the input of its activation.
    let below: Network.Source
    /// The loss gradient of what leaves the pooling.
    let gradient: [Double]
    let base: Foundation
    /// Extents of what the pooling reads, and of what leaves it.
    let (shape, windows): ([Int], [Int])
  }

  /// Finds the loss gradient below a max pooling: from the zero padding of the convolution below, or
  /// from ``approach``.
  func leapOverMaximum(_ source: Network.Source, _ pool: Int) throws(CascadeStop) {
    let maximum = try maximum(source, pool)
    guard gradients[maximum.below] == nil else { return }
    let route: String
    if let approach, let found = try fromApproach(maximum, approach) {
      gradients[maximum.below] = found
      route = "winners of a picture that is about right, and weight gradient, in turn"
    } else {
      do throws(PatchWalkFailure) {
        gradients[maximum.below] = try fromPadding(maximum)
      } catch {
        throw CascadeStop(
          "the winners of '\(network.nodes[pool].name)' were not found: \(error)", at: pool)
      }
      route = "zero padding of the layer below"
    }
    gradientErrors[maximum.below] = gradientErrors[.node(pool)]
    recordLeap(
      pool, route: route, unknowns: maximum.shape.reduce(1, *),
      equations: maximum.base.weightGradient.count)
  }

  /// Goes on below a max pooling at which the walk stopped, with a picture that is about right.
  ///
  /// - Parameter picture: As the programs hold it.
  /// - Returns: Whether the walk came further.
  package func resume(from picture: [Double]) -> Bool {
    guard let node = stop?.node, case .maximum = linearity(node) else { return false }
    let count = determined.count
    let old = stop
    (approach, stop) = (picture, nil)
    run()
    approach = nil
    guard stop?.node == node else { return determined.count > count || stop == nil }
    stop = old
    return false
  }

  private func maximum(_ source: Network.Source, _ pool: Int) throws(CascadeStop) -> Maximum {
    guard let pooled = gradients[.node(pool)], let layer = network.nodes[pool].layer as? Pooling,
      readers(of: source) == [pool]
    else {
      throw CascadeStop("no closed form leads through '\(network.nodes[pool].name)'", at: pool)
    }
    var below = source
    if case .node(let node) = source, case .elementwise(let function) = linearity(node) {
      guard function == .relu, let before = network.nodes[node].sources.first else {
        throw CascadeStop(
          "the winners of '\(network.nodes[pool].name)' behind \(function.name) are not sought",
          at: pool)
      }
      below = before
    }
    guard let base = foundation(of: below), base.site.taps > 1 else {
      throw CascadeStop(
        "no convolution with observed gradient and neighbours lies under "
          + "'\(network.nodes[pool].name)'", at: pool)
    }
    let shape = programs.shape(of: source)
    let windows = programs.shape(of: .node(pool))
    guard shape.count == 3, windows.count == 3, layer.window.count == 2,
      layer.window == layer.stride, layer.dilation == [1, 1],
      windows[0] * layer.window[0] <= shape[0], windows[1] * layer.window[1] <= shape[1]
    else {
      throw CascadeStop(
        "the windows of '\(network.nodes[pool].name)' overlap or are padded", at: pool)
    }
    return Maximum(
      pool: pool, layer: layer, source: source, below: below, gradient: pooled, base: base,
      shape: shape, windows: windows)
  }

  // MARK: - From the zero padding

  private func fromPadding(_ maximum: Maximum) throws(PatchWalkFailure) -> [Double] {
    let (base, shape, windows) = (maximum.base, maximum.shape, maximum.windows)
    let window = maximum.layer.window
    let (height, width) = (windows[0] * window[0], windows[1] * window[1])
    let channels = shape[2]
    let winners = try withTolerances(of: base) { (tolerance) throws(PatchWalkFailure) in
      let walk = try PatchWalk(
        base.quotient(base.factors), base.site.patchMap(height: height, width: width),
        tolerance: tolerance, allowsSilentPositions: true)
      return try PoolingWinners(
        walk,
        pooled: DenseMatrix(
          rows: channels, columns: windows[0] * windows[1], elements: maximum.gradient),
        windows: .init(height: window[0], width: window[1]))
    }
    var gradient = Array(repeating: 0.0, count: shape.reduce(1, *))
    for row in 0..<height {
      for column in 0..<width {
        for channel in 0..<channels {
          gradient[(row * shape[1] + column) * channels + channel] =
            winners.gradient[channel, row * width + column]
        }
      }
    }
    return gradient
  }

  // MARK: - From a picture that is about right

  /// - Returns: The loss gradient below the pooling; `nil` if the winners do not settle.
  private func fromApproach(
    _ maximum: Maximum, _ picture: [Double]
  ) throws(CascadeStop) -> [Double]? {
    guard case .node(let target) = maximum.below,
      let input = network.nodes[maximum.base.site.node].sources.first,
      let outputs = try? programs.segment(from: [input], to: target)
    else { return nil }
    let isRectified = maximum.below != maximum.source
    let pooled = maps[.node(maximum.pool)]
    let iteration = WinnerIteration(
      site: maximum.base.site, weightGradient: maximum.base.weightGradient,
      factors: maximum.base.factors, windows: entries(maximum), pooledGradient: maximum.gradient,
      isRectified: isRectified, isActive: isRectified ? pooled?.isAboveZero : nil)
    var start = picture
    if case .node(let node) = input {
      start = try programs.segment(from: [.input(0)], to: node).value([picture])
    }
    let found = try iteration.solve(from: start) { (values) throws(CascadeStop) in
      try outputs.value([values])
    }
    guard let found else {
      progress("the winners of '\(network.nodes[maximum.pool].name)' do not settle")
      return nil
    }
    progress(
      "the winners of '\(network.nodes[maximum.pool].name)' in \(found.rounds) rounds, weight "
        + "gradient met to \(found.misfit.displayed)")
    return found.gradient
  }

  /// For every window and channel, the entries that it chooses from.
  private func entries(_ maximum: Maximum) -> [[Int]] {
    let (shape, windows) = (maximum.shape, maximum.windows)
    let window = maximum.layer.window
    return (0..<windows.reduce(1, *)).map { index in
      let channel = index % windows[2]
      let (row, column) = (index / windows[2] / windows[1], index / windows[2] % windows[1])
      return (0..<window[0] * window[1]).map { offset in
        let y = row * window[0] + offset / window[1]
        let x = column * window[1] + offset % window[1]
        return (y * shape[1] + x) * shape[2] + channel
      }
    }
  }
}

extension KnownMap {
  /// Whether each entry is above zero by more than its error; `nil` if not all are known.
  fileprivate var isAboveZero: [Bool]? {
    isComplete ? values.indices.map { values[$0] > 10 * errors[$0] } : nil
  }
}
