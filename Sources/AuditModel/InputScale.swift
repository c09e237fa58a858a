/// How a model's input was normalised: `(picture − mean) / deviation`, with pictures in 0…1.
package struct InputScale: Hashable, Sendable {
  /// One number for each channel, or one for all.
  package var mean: [Double]
  /// As many as ``mean``, all above 0.
  package var deviation: [Double]

  /// - Returns: `nil` unless both have as many numbers, at least one, all finite and the deviations
  ///   above 0.
  package init?(mean: [Double], deviation: [Double]) {
    guard !mean.isEmpty, mean.count == deviation.count, mean.allSatisfy(\.isFinite),
      deviation.allSatisfy({ $0.isFinite && $0 > 0 })
    else { return nil }
    self.mean = mean
    self.deviation = deviation
  }

  /// The picture behind a sample in model units: `value × deviation + mean` in each channel, clamped
  /// to 0…1.
  ///
  /// - Parameters:
  ///   - sample: In model units, row-major.
  ///   - channels: Where the channels lie; one number for all needs none.
  /// - Returns: `nil` if the numbers are not one for each channel of the sample.
  package func picture(_ sample: [Double], channels: ChannelAxis?) -> [Double]? {
    guard mean.count > 1 else {
      return sample.map { Self.clamped($0 * deviation[0] + mean[0]) }
    }
    guard let channels, channels.count == mean.count,
      let places = channels.channels(of: sample.count)
    else { return nil }
    return zip(sample, places).map { Self.clamped($0 * deviation[$1] + mean[$1]) }
  }

  // What is no number stays none: a minimum or a maximum would hide it.
  private static func clamped(_ value: Double) -> Double {
    value < 0 ? 0 : value > 1 ? 1 : value
  }
}
