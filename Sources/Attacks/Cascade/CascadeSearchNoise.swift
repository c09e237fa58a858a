internal import AuditModel
internal import Networks
internal import Tensors

extension CascadeSearch {
  /// Whether the observed numbers are coarser than single precision, or are known to be noisy.
  static func isNoisy(_ walk: CascadeWalk) -> Bool {
    let observation = walk.observation
    let isReduced = observation.gradient.keys.contains { key in
      let kind = observation.gradient[key.node, key.role]?.resolution ?? .float64
      return kind.unitRoundoff > ElementKind.float32.unitRoundoff
    }
    return observation.noise != nil || isReduced || walk.sparsity != nil
  }

  /// A relative misfit of the gradient that no search explains.
  private static let hopeless = 0.5

  /// The most probable input, from wherever the search has come.
  ///
  /// An estimate that would be shown is made again, of a gradient that is simulated from it with other
  /// noise: as far as that ends from where its gradient came from, the first may be from the truth.
  /// The draw from the posterior knows nothing of other inputs that explain a gradient as well, behind
  /// units that took the other side. And where the second ends with as large a misfit as the first, the
  /// search leaves it, and it is no sign of a gradient of something else.
  ///
  /// - Source: Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, §6.5 (parametric).
  func estimate(_ everything: GradientResiduals) throws(CascadeStop) {
    let start = input ?? approach
    let level = start.map { $0.reduce(0, +) / Double(max($0.count, 1)) }
    let grey = try starts(everything).first?.first ?? 0.5
    let spread = start.map { values in
      values.map { $0 - (level ?? 0) }.rootMeanSquareOrZero
    }
    let width = range.map { $0.upperBound - $0.lowerBound }
    let trust = everything.trust(walk.sparsity, in: walk.observation)
    let limit = Int(max(budget, 0) / price)
    func estimate() throws(CascadeStop) -> NoisyEstimate {
      try NoisyEstimate(
        everything, walk, trust: trust, start: start, level: level ?? grey,
        deviation: spread.flatMap { $0 > 0 ? $0 : nil } ?? width.map { $0 / 4 }
          ?? (grey == 0 ? 1 : 0.25),
        productLimit: limit, isLate: isLate, progress: progress)
    }
    let found = try estimate()
    input = found.input
    certificate = found.certificate
    predictedError = found.predictedError
    var isExplained = found.certificate <= max(0.2, 4 * everything.noiseShare)
    var isSharp: Bool { predictedError < 0.5 * found.detail }
    var told =
      "the most probable input under noise (\(found.rounds) rounds, \(found.products) products) has "
      + "a predicted error of \(found.predictedError.displayed) per value, where its detail is "
      + found.detail.displayed
    if isSharp, found.certificate < Self.hopeless {
      let residuals = try everything.residuals(at: found.input)
      let noise = try everything.draw(at: found.input, trust)
      let again = try everything.observing(residuals, as: noise, estimate)
      if isLate() {
        told += "; no time was left to make it again from its own gradient"
      } else {
        let distance = zip(again.input, found.input).map { $0 - $1 }.rootMeanSquareOrZero
        told += "; made again from its own gradient, it ends \(distance.displayed) from there"
        predictedError = max(predictedError, distance)
        // Then the search leaves so much, and not the gradient.
        isExplained = isExplained || found.certificate <= 1.5 * again.certificate
      }
    }
    isExplained = isExplained && found.input.rootMeanSquareOrZero.isFinite
    isHidden = !(isSharp && isExplained)
    account.append(
      !isExplained
        ? told
          + ", but its gradient misses by \(found.certificate.displayed), more than noise explains"
        : isHidden ? told + ": noise hides it" : told)
  }
}
