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

  /// The most probable input, from wherever the search has come.
  func estimate(_ everything: GradientResiduals) throws(CascadeStop) {
    let start = input ?? approach
    let level = start.map { $0.reduce(0, +) / Double(max($0.count, 1)) }
    let grey = try starts(everything).first?.first ?? 0.5
    let spread = start.map { values in
      values.map { $0 - (level ?? 0) }.rootMeanSquareOrZero
    }
    let width = range.map { $0.upperBound - $0.lowerBound }
    let price = 8 * Double(max(walk.multiplyAdds, 1))
    let found = try NoisyEstimate(
      everything, walk, start: start, level: level ?? grey,
      deviation: spread.flatMap { $0 > 0 ? $0 : nil } ?? width.map { $0 / 4 }
        ?? (grey == 0 ? 1 : 0.25),
      productLimit: Int(max(budget, 0) / price), isLate: isLate, progress: progress)
    certificate = found.certificate
    predictedError = found.predictedError
    let size = found.input.rootMeanSquareOrZero
    let told =
      "the most probable input under noise (\(found.rounds) rounds, \(found.products) products) has "
      + "a predicted error of \(found.predictedError.displayed) per value, where its detail is "
      + "\(found.detail.displayed)"
    let isExplained = found.certificate <= max(0.2, 4 * everything.noiseShare)
    isHidden = !(found.predictedError < 0.5 * found.detail) || !size.isFinite || !isExplained
    account.append(
      !isExplained
        ? told
          + ", but its gradient misses by \(found.certificate.displayed), more than noise explains"
        : isHidden ? told + ": noise hides it" : told)
    input = found.input
  }
}
