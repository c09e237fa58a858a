internal import Networks

extension CascadeWalk {
  /// Corrects the sign pattern of a piecewise-linear activation by what biases below it observed.
  ///
  /// The gradient of a bias or shift is the sum of the loss gradient over the places of its channel,
  /// so one wrong entry shows as a difference of exactly its size. Entries whose value is nearest to the
  /// kink are tried first, alone, in pairs and in threes.
  ///
  /// - Parameters:
  ///   - gradient: What enters below the activation, `[places, channels]`; entries are corrected.
  ///   - arriving: The loss gradient behind the activation.
  ///   - node: The activation.
  ///   - levels: Its two slopes.
  /// - Returns: The channels whose difference no change explains.
  package func correctSigns(
    of gradient: inout [Double], arriving: [Double], at node: Int, _ levels: [Double]
  ) -> Set<Int> {
    guard let source = network.nodes[node].sources.first,
      let sums = observedSums(at: source),
      var pattern = pattern(of: gradient, arriving: arriving, at: node, levels)
    else { return [] }
    let channels = sums.values.count
    var missing = sums.values
    var sizes = Array(repeating: 0.0, count: channels)
    var passed = sizes
    for index in gradient.indices {
      missing[index % channels] -= gradient[index]
      sizes[index % channels] += abs(arriving[index])
      passed[index % channels] += abs(gradient[index])
    }
    let relative = 4e-7 + (gradientErrors[.node(node)] ?? 0)
    let arithmetic = Self.arithmeticError(missing, of: passed)
    var contradictions: Set<Int> = []
    for channel in 0..<channels {
      let tolerance = max(
        8 * sums.error, relative * sizes[channel], arithmetic * passed[channel])
      guard abs(missing[channel]) > tolerance else { continue }
      let candidates = pattern.doubtful(channel).prefix(SignFlips.candidateLimit).map {
        SignFlips.Candidate(entry: $0, change: pattern.change($0), doubt: pattern.doubt($0))
      }
      if let flip = SignFlips.likeliest(
        explaining: missing[channel], within: tolerance, among: candidates)
      {
        for entry in flip { pattern.flip(entry) }
      } else if abs(missing[channel]) > 20 * tolerance {
        contradictions.insert(channel)
      }
    }
    adopt(pattern, at: node, &gradient)
    return contradictions
  }

  /// What a sum may miss by because it was computed in single precision.
  ///
  /// The lower quartile of what is missed counts no wrong signs if a quarter of the channels has none. Of
  /// normal errors hardly any is ten times as large. More than `4e-6` is no rounding.
  ///
  /// - Returns: Relative to the sum of the magnitudes that were added.
  private static func arithmeticError(_ missing: [Double], of added: [Double]) -> Double {
    let shares = zip(missing, added).filter { $1 > 0 }.map { abs($0) / $1 }.sorted()
    return shares.isEmpty ? 0 : min(10 * shares[shares.count / 4], 4e-6)
  }

  /// The sides on which the entries of an activation lie, as far as the walk knows them.
  func pattern(
    of gradient: [Double], arriving: [Double], at node: Int, _ levels: [Double]
  ) -> SignPattern? {
    guard let map = maps[.node(node)], let low = levels.min(), let high = levels.max(),
      let channels = programs.shape(of: .node(node)).last
    else { return nil }
    return SignPattern(
      map: map, solved: unrestricted[.node(node)] ?? map.values, gradient: gradient,
      arriving: arriving, channels: channels, low: low, high: high)
  }

  /// Takes over what was flipped.
  func adopt(_ pattern: SignPattern, at node: Int, _ gradient: inout [Double]) {
    guard pattern.flipped > 0 else { return }
    maps[.node(node)] = pattern.map
    gradient = pattern.gradient
    corrections += pattern.flipped
  }

  /// The observed gradient of a bias or shift whose loss gradient is that of a value.
  private func observedSums(
    at source: Network.Source
  ) -> (values: [Double], error: Double)? {
    guard case .node(let node) = source else { return nil }
    switch linearity(node) {
    case .sum:
      return network.nodes[node].sources.lazy.compactMap { self.observedSums(at: $0) }.first
    case .entrywiseAffine:
      return programs.elements(node, .shift, of: observation.gradient).map {
        ($0, observation.roundingError(node, .shift))
      }
    case .affine:
      guard network.nodes[node].layer is Networks.Convolution else { return nil }
      return programs.elements(node, .bias, of: observation.gradient).map {
        ($0, observation.roundingError(node, .bias))
      }
    default: return nil
    }
  }
}
