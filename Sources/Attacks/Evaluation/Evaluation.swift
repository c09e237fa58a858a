package import AuditModel

/// Compares recoveries with the truth; the only place that sees it.
package struct Evaluation {
  /// What a network makes of a sample in front of its classifier; `nil` if it could not be computed.
  package typealias Features = ([Double]) -> [Double]?

  private let inputs: [[Double]]
  private let labels: [Int]?
  private let batch: Int
  private let picture: PictureLayout?
  private let scale: InputScale?
  private let features: Features?

  /// - Parameters:
  ///   - inputs: one vector per true sample, in input units.
  ///   - labels: one class per true sample.
  ///   - batch: how many of the first true samples are behind the gradient; the others are samples
  ///     that a recovery must not be taken for. All of them by default.
  ///   - picture: how the values of a sample make a picture.
  ///   - scale: what makes pictures of input units.
  ///   - features: what enters the classifier for a sample.
  package init(
    inputs: [[Double]], labels: [Int]?, batch: Int? = nil, picture: PictureLayout? = nil,
    scale: InputScale? = nil, features: Features? = nil
  ) {
    self.inputs = inputs
    self.labels = labels
    self.batch = min(batch ?? inputs.count, inputs.count)
    self.picture = picture
    self.scale = scale
    self.features = features
  }

  /// Errors of each recovered sample against the true sample it is assigned to.
  ///
  /// - Samples are assigned to those of the batch so that the sum of their mean squared errors is
  ///   least; of more samples than the batch has, the ones left over have no figures.
  /// - The mean squared error is in input units. PSNR, its yardsticks and structural similarity are
  ///   taken on pictures in 0…1 if there is a scale, otherwise after clamping to 0…1, or to the range
  ///   of the truth where that reaches further; the width of the range is the peak.
  /// - Structural similarity sees the range as 0…1. Pictures of fewer than 11 × 11 pixels have none.
  /// - A sample is identified if no other true sample, in the batch or not, is as near to it as the
  ///   one that it is assigned to; true samples that are equal are one.
  ///
  /// - Returns: `nil` if the sizes do not agree.
  package func quality(
    of samples: [[Double]], labels recovered: [Int?]
  ) -> RecoverySummary.Quality? {
    guard let assigned = assignment(of: samples) else { return nil }
    let matched = assigned.indices.compactMap { sample in
      assigned[sample].map { (sample: sample, truth: $0) }
    }
    let pictures = scale.flatMap { scale in Self.pictures(inputs, scale, picture?.channels) }
    let baselines = Baselines(
      range: pictures != nil ? 0...1 : Baselines.range(of: inputs))
    let truths = matched.map { (pictures ?? inputs)[$0.truth] }
    let shown = matched.map { pair in
      pictures == nil
        ? samples[pair.sample]
        : scale?.picture(samples[pair.sample], channels: picture?.channels) ?? []
    }
    let correct = labels.map { truth in
      matched.count { recovered[$0.sample] != nil && recovered[$0.sample] == truth[$0.truth] }
    }
    let coloured = picture.map { picture in
      truths.compactMap { baselines.meanColour($0, picture.channels) }
    }
    return RecoverySummary.Quality(
      meanSquaredError: matched.map { Self.error(samples[$0.sample], inputs[$0.truth]) },
      psnr: zip(shown, truths).map(baselines.psnr),
      greyPSNR: Self.mean(truths.map(baselines.grey)) ?? 0,
      meanImagePSNR: coloured.flatMap(Self.mean),
      structuralSimilarity: similarities(shown, truths, baselines),
      featureDistance: featureDistances(matched.map { (samples[$0.sample], inputs[$0.truth]) }),
      identified: inputs.count > 1
        ? matched.count { isNearest($0.truth, to: samples[$0.sample]) } : nil,
      valueRange: baselines.range, labelsCorrect: correct)
  }

  /// The true sample that each sample is assigned to, `nil` where none was left.
  ///
  /// - Returns: `nil` if the sizes do not agree.
  package func assignment(of samples: [[Double]]) -> [Int?]? {
    guard let width = inputs.first?.count, width > 0, batch > 0,
      samples.allSatisfy({ $0.count == width }), inputs.allSatisfy({ $0.count == width })
    else { return nil }
    return BestAssignment.pairs(
      samples.map { sample in inputs.prefix(batch).map { Self.error(sample, $0) } })
  }

  /// Mean squared error per entry.
  static func error(_ x: [Double], _ y: [Double]) -> Double {
    zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(x.count, 1))
  }

  private func isNearest(_ truth: Int, to sample: [Double]) -> Bool {
    let error = Self.error(sample, inputs[truth])
    return !error.isNaN
      && inputs.allSatisfy { other in
        other == inputs[truth] || error < Self.error(sample, other)
      }
  }

  private func similarities(
    _ samples: [[Double]], _ truths: [[Double]], _ baselines: Baselines
  ) -> [Double]? {
    guard let picture, picture.count == inputs.first?.count,
      let similarity = StructuralSimilarity(picture)
    else { return nil }
    return zip(samples, truths).map { sample, truth in
      similarity(sample.map(baselines.share), truth.map(baselines.share))
    }
  }

  private func featureDistances(_ pairs: [(sample: [Double], truth: [Double])]) -> [Double]? {
    guard let features else { return nil }
    var distances: [Double] = []
    for pair in pairs {
      guard let x = features(pair.sample), let y = features(pair.truth), x.count == y.count else {
        return nil
      }
      distances.append(zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
    }
    return distances
  }

  private static func pictures(
    _ samples: [[Double]], _ scale: InputScale, _ channels: ChannelAxis?
  ) -> [[Double]]? {
    let pictures = samples.compactMap { scale.picture($0, channels: channels) }
    return pictures.count == samples.count ? pictures : nil
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
