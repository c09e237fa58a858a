package import AuditModel

/// Compares recoveries with the truth; the only place that sees it.
package struct Evaluation: Sendable {
  private let inputs: [[Double]]
  private let labels: [Int]?
  private let channels: Baselines.Channels?

  /// - Parameters:
  ///   - inputs: one vector per true sample, in input units.
  ///   - labels: one class per true sample.
  ///   - channels: where the colours lie if the samples are pictures.
  package init(inputs: [[Double]], labels: [Int]?, channels: Baselines.Channels? = nil) {
    self.inputs = inputs
    self.labels = labels
    self.channels = channels
  }

  /// Errors of each recovered sample against the true sample it is assigned to.
  ///
  /// PSNR is taken after clamping to [0, 1], or to the range of the truth where that reaches further;
  /// the width of the range is the peak. Pairs are assigned greedily from the smallest error; each
  /// true sample is used once.
  ///
  /// - Returns: `nil` if the sizes do not agree.
  package func quality(
    of samples: [[Double]], labels recovered: [Int?]
  ) -> RecoverySummary.Quality? {
    guard let width = inputs.first?.count, width > 0,
      samples.allSatisfy({ $0.count == width }), inputs.allSatisfy({ $0.count == width })
    else { return nil }
    let matched = pairs(samples)
    let baselines = Baselines(range: Baselines.range(of: inputs))
    let truths = matched.map { inputs[$0.truth] }
    let correct = labels.map { truth in
      matched.count { recovered[$0.sample] != nil && recovered[$0.sample] == truth[$0.truth] }
    }
    let coloured = channels.map { channels in
      truths.compactMap { baselines.meanColour($0, channels) }
    }
    return RecoverySummary.Quality(
      meanSquaredError: matched.map(\.error),
      psnr: zip(matched, truths).map { baselines.psnr(samples[$0.sample], $1) },
      greyPSNR: Self.mean(truths.map(baselines.grey)) ?? 0,
      meanImagePSNR: coloured.flatMap(Self.mean), valueRange: baselines.range,
      labelsCorrect: correct)
  }

  /// Samples with the truths they are assigned to, in the order of the samples.
  private func pairs(_ samples: [[Double]]) -> [(sample: Int, truth: Int, error: Double)] {
    let errors = samples.enumerated().flatMap { sample, x in
      inputs.enumerated().map { truth, y in
        (sample: sample, truth: truth, error: Self.meanSquaredError(x, y))
      }
    }
    var isMatched = Array(repeating: false, count: samples.count)
    var isUsed = Array(repeating: false, count: inputs.count)
    var pairs: [(sample: Int, truth: Int, error: Double)] = []
    for pair in errors.sorted(by: { $0.error < $1.error })
    where !isMatched[pair.sample] && !isUsed[pair.truth] {
      pairs.append(pair)
      isMatched[pair.sample] = true
      isUsed[pair.truth] = true
    }
    return pairs.sorted { $0.sample < $1.sample }
  }

  private static func meanSquaredError(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(x.count, 1))
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
