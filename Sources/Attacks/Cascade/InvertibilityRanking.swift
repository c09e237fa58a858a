internal import AuditModel
internal import Networks

extension InvertibilityEquations {
  /// Channels with equations of their own beyond which only some are ranked.
  private static let sampleSize = 16
  /// Multiply-adds for all of them under which none is left out.
  private static let sampleWork = 2e10
  /// Open directions beyond which equations from values further up are only counted.
  static let openLimit = MapSolve.denseLimit

  private struct Bucket {
    var channels: [Int]
    var groups: [Int]
  }

  private func buckets() -> [Bucket] {
    var found: [[Int]: [Int]] = [:]
    for channel in 0..<channels {
      let key = gradients.map { channel / max($0.site.groupInputs, 1) }
      found[key, default: []].append(channel)
    }
    return found.map { Bucket(channels: $0.value, groups: $0.key) }
      .sorted { $0.channels[0] < $1.channels[0] }
  }

  /// Ranks the equations.
  ///
  /// - Parameter budget: Multiply-adds that may be spent; equations that would take more are counted.
  /// - Returns: The rank and what follows from it.
  /// - Throws: ``CascadeStop`` if a number is not finite.
  func rank(budget: inout Double) throws(CascadeStop) -> Result {
    var result = Result(notes: unfollowed)
    let buckets = buckets()
    let rows = gradients.reduce(0) { $0 + $1.rows }
    let work = InvertibilitySpectrum.work(rows: rows, places: places)
    let isSampled =
      buckets.count > Self.sampleSize && Double(buckets.count) * work > Self.sampleWork
    let sampled =
      isSampled
      ? (0..<Self.sampleSize).map { buckets[$0 * buckets.count / Self.sampleSize] } : buckets
    guard Double(sampled.count) * work <= budget else {
      count(&result)
      return result
    }
    budget -= Double(sampled.count) * work
    var (seen, ranked, variance) = (0, 0, 0.0)
    var parts: [InvertibilityOpen.Part] = []
    for bucket in sampled {
      let own = zip(gradients, bucket.groups).map { (rows: $0, group: $1) }
      guard
        let spectrum = try InvertibilitySpectrum(
          own, places: places, wantsBasis: wantsBasis && !isSampled,
          tolerance: Invertibility.rankTolerance)
      else {
        count(&result)
        return result
      }
      seen += spectrum.rank * bucket.channels.count
      ranked += bucket.channels.count
      variance += spectrum.variance * Double(bucket.channels.count)
      if let open = spectrum.open {
        parts.append(.init(channels: bucket.channels, open: open))
      }
    }
    if isSampled {
      seen = seen * channels / max(ranked, 1)
      variance *= Double(channels) / Double(max(ranked, 1))
      result.notes.append(
        "\(Self.sampleSize) of \(buckets.count) groups were ranked, the others counted alike")
    }
    let open = unknowns - seen
    guard open > 0 else {
      result.rank = unknowns
      result.isExact = true
      result.amplification = amplification(variance)
      return result
    }
    let isFillable =
      parts.count == buckets.count && open <= Self.openLimit
      && InvertibilityOpen.work(open) <= budget
    if isFillable, forwardEquations > 0 { budget -= InvertibilityOpen.work(open) }
    try fill(open, seen, isFillable ? parts : nil, variance, &result)
    return result
  }

  /// Where the numbers are too many to be factored.
  private func count(_ result: inout Result) {
    let equations = gradientEquations + forwardEquations
    result.isOpen = equations < unknowns
    result.rank = result.isOpen ? equations : nil
    result.notes.append("equations are counted, not ranked: they are too many to be factored")
  }

  /// What values known further up add to the gradient equations.
  private func fill(
    _ open: Int, _ seen: Int, _ parts: [InvertibilityOpen.Part]?, _ variance: Double,
    _ result: inout Result
  ) throws(CascadeStop) {
    guard forwardEquations > 0 else {
      result.rank = seen
      result.isOpen = true
      return
    }
    result.usesForward = true
    if let parts {
      let system = try InvertibilityOpen(
        parts, channels: channels, forwards: loadedForwards(), direct: direct,
        tolerance: Invertibility.rankTolerance)
      if let fixed = system.rank {
        result.rank = seen + fixed
        result.isExact = fixed == open
        result.isOpen = !result.isExact
        result.amplification = amplification(variance + system.variance)
        return
      }
    }
    if forwardEquations < open {
      result.rank = seen + forwardEquations
      result.isOpen = true
      result.notes.append(
        "equations from values behind it are counted, so this rank is an upper bound")
    } else {
      result.notes.append(
        "the gradient equations have rank \(DisplayedNumber.grouped(seen)); those from values behind it are counted, and might "
          + "fix the rest, which is more than is solved at once")
    }
  }

  private func loadedForwards() -> [InvertibilityOpen.Forward] {
    forwards.compactMap { node, rows in
      guard rows.weight.isEmpty else { return rows }
      guard let weight = programs.elements(node, .weight, of: programs.weights) else { return nil }
      var rows = rows
      rows.weight = weight
      return rows
    }
  }

  /// Relative error of the map per relative error of the equations.
  ///
  /// - Parameter variance: Of all entries together, if rows have a variance of 1.
  /// - Returns: `nil` if there is nothing to compare with.
  private func amplification(_ variance: Double) -> Double? {
    let size = input.rootMeanSquareOrZero
    guard size > 0, variance > 0 else { return nil }
    let result = (variance / Double(unknowns)).squareRoot() / size
    return result.isFinite ? result : nil
  }
}
