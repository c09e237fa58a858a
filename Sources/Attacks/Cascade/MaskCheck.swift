internal import Networks

extension CascadeWalk {
  /// Corrects the sign pattern of a piecewise-linear activation by what biases below it observed.
  ///
  /// The gradient of a bias or shift is the sum of the loss gradient over the places of its channel,
  /// so one wrong entry shows as a difference of exactly its size. Entries whose value is nearest to the
  /// kink are tried first, alone and in pairs.
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
    guard let source = network.nodes[node].sources.first, var map = maps[.node(node)],
      let sums = observedSums(at: source), let low = levels.min(), let high = levels.max()
    else { return [] }
    let solved = unrestricted[.node(node)] ?? map.values
    let channels = sums.values.count
    let places = gradient.count / channels
    let largest = map.values.reduce(0) { max($0, abs($1)) }
    var (changed, contradictions) = (0, Set<Int>())
    for channel in 0..<channels {
      let entries = (0..<places).map { $0 * channels + channel }
      let (sum, size) = entries.reduce(into: (0.0, 0.0)) {
        $0.0 += gradient[$1]
        $0.1 += abs(arriving[$1])
      }
      let missing = sums.values[channel] - sum
      let relative = gradientErrors[.node(node)] ?? 0
      let tolerance = max(8 * sums.error, (4e-7 + relative) * size)
      guard abs(missing) > tolerance else { continue }
      // Distance from the kink in standard errors.
      func doubt(_ entry: Int) -> Double {
        abs(solved[entry]) / (map.errors[entry] + 1e-9 * largest)
      }
      let near = entries.filter { abs(solved[$0]) < max(1e-3 * largest, 40 * map.errors[$0]) }
        .sorted { doubt($0) < doubt($1) }.prefix(SignFlips.candidateLimit)
      func change(_ entry: Int) -> Double {
        let isHigh = gradient[entry] == high * arriving[entry]
        return (isHigh ? low - high : high - low) * arriving[entry]
      }
      let candidates = near.map {
        SignFlips.Candidate(entry: $0, change: change($0), doubt: doubt($0))
      }
      guard
        let flip = SignFlips.likeliest(
          explaining: missing, within: tolerance, among: candidates)
      else {
        if abs(missing) > 20 * tolerance { contradictions.insert(channel) }
        continue
      }
      for entry in flip {
        let isHigh = gradient[entry] == high * arriving[entry]
        gradient[entry] = (isHigh ? low : high) * arriving[entry]
        map.values[entry] = isHigh ? 0 : max(map.values[entry], 1e-9 * largest)
        changed += 1
      }
    }
    if changed > 0 { maps[.node(node)] = map }
    corrections += changed
    return contradictions
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

/// Which few entries on the wrong side of a kink explain a missing sum.
enum SignFlips {
  struct Candidate {
    var entry: Int
    /// What the sum gains if the entry changes sides.
    var change: Double
    /// Its distance from the kink in standard errors.
    var doubt: Double
  }

  /// No more entries than these nearest ones are tried.
  static let candidateLimit = 24
  /// Three at a time are sought among so many.
  private static let tripleLimit = 16

  /// One, two or three entries whose changes add up to what is missing; of several answers the one
  /// that moves the values least.
  ///
  /// - Parameters:
  ///   - missing: What is missing in the sum.
  ///   - tolerance: How exactly it is known.
  ///   - candidates: Nearest to the kink first.
  /// - Returns: The entries to change; `nil` if none explain it.
  static func likeliest(
    explaining missing: Double, within tolerance: Double, among candidates: [Candidate]
  ) -> [Int]? {
    var best: (entries: [Int], doubt: Double)?
    func consider(_ chosen: [Candidate]) {
      let left = chosen.reduce(missing) { $0 - $1.change }
      let doubt = chosen.reduce(0) { $0 + $1.doubt * $1.doubt }
      guard abs(left) <= tolerance, doubt < best?.doubt ?? .infinity else { return }
      best = (chosen.map(\.entry), doubt)
    }
    for (first, one) in candidates.enumerated() {
      consider([one])
      for (second, other) in candidates.enumerated().dropFirst(first + 1) {
        consider([one, other])
        guard second < tripleLimit else { continue }
        for third in candidates[(second + 1)...].prefix(max(0, tripleLimit - second - 1)) {
          consider([one, other, third])
        }
      }
    }
    return best?.entries
  }
}
