package import AuditModel

/// Compares recoveries with the truth; the only place that sees it.
package struct Evaluation: Sendable {
  private let inputs: [[Double]]
  private let labels: [Int]?

  /// - Parameters:
  ///   - inputs: one vector per true sample, in input units.
  ///   - labels: one class per true sample.
  package init(inputs: [[Double]], labels: [Int]?) {
    self.inputs = inputs
    self.labels = labels
  }

  /// Errors of each recovered sample against the true sample it is assigned to.
  ///
  /// PSNR is taken after clamping to [0, 1]. Pairs are assigned greedily from the smallest error; each true sample is used once.
  ///
  /// - Returns: `nil` if the sizes do not agree.
  package func quality(
    of samples: [[Double]], labels recovered: [Int?]
  ) -> RecoverySummary.Quality? {
    guard let width = inputs.first?.count, width > 0,
      samples.allSatisfy({ $0.count == width }), inputs.allSatisfy({ $0.count == width })
    else { return nil }
    let errors = samples.enumerated().flatMap { sample, x in
      inputs.enumerated().map { truth, y in
        (sample: sample, truth: truth, error: Self.meanSquare(x, y) { $0 })
      }
    }
    var partner: [Int: Int] = [:]
    var used: Set<Int> = []
    for pair in errors.sorted(by: { $0.error < $1.error })
    where partner[pair.sample] == nil && !used.contains(pair.truth) {
      partner[pair.sample] = pair.truth
      used.insert(pair.truth)
    }
    let matched = samples.indices.compactMap { index in partner[index].map { (index, $0) } }
    let mean = matched.map { Self.meanSquare(samples[$0.0], inputs[$0.1]) { $0 } }
    let psnr = matched.map { pair -> Double in
      let error = Self.meanSquare(samples[pair.0], inputs[pair.1]) { min(max($0, 0), 1) }
      return Decibels.psnr(meanSquaredError: error)
    }
    let correct = labels.map { truth in
      matched.count { recovered[$0.0] != nil && recovered[$0.0] == truth[$0.1] }
    }
    return RecoverySummary.Quality(
      meanSquaredError: mean, psnr: psnr, labelsCorrect: correct)
  }

  private static func meanSquare(
    _ x: [Double], _ y: [Double], _ map: (Double) -> Double
  ) -> Double {
    zip(x, y).reduce(0) { total, pair in
      let gap = map(pair.0) - map(pair.1)
      return total + gap * gap
    } / Double(max(x.count, 1))
  }
}
