internal import AuditModel

/// What pictures without any content score against a truth, so that a number of decibels has a scale.
struct Baselines {
  /// The least and the largest value that counts, and the width between them.
  let range: ClosedRange<Double>

  var peak: Double { range.upperBound - range.lowerBound }

  /// The range to judge `truths` by: 0…1 if that holds all of them, otherwise their own.
  ///
  /// Values that are not finite have no say. A single value has no width to measure by; then the
  /// range is 0…1, widened to hold it.
  static func range(of truths: [[Double]]) -> ClosedRange<Double> {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in truths.joined() where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    if low >= 0 && high <= 1 || low > high { return 0...1 }
    return low < high ? low...high : min(low, 0)...max(high, 1)
  }

  /// Decibels of `sample` against `truth`, both clamped to the range.
  func psnr(_ sample: [Double], _ truth: [Double]) -> Double {
    psnr(truth.count) { place in clamped(sample[place]) - clamped(truth[place]) }
  }

  /// Decibels of the middle of the range everywhere.
  func grey(_ truth: [Double]) -> Double {
    // Halves, so that the sum of two huge bounds stays finite.
    let middle = range.lowerBound / 2 + range.upperBound / 2
    return psnr(truth.count) { place in middle - clamped(truth[place]) }
  }

  /// Decibels of a picture in the mean colour of `truth`.
  ///
  /// - Returns: `nil` if the values cannot be parted into so many channels.
  func meanColour(_ truth: [Double], _ channels: ChannelAxis) -> Double? {
    guard let places = channels.channels(of: truth.count) else { return nil }
    let pixels = Double(truth.count / channels.count)
    var means = Array(repeating: 0.0, count: channels.count)
    for (value, channel) in zip(truth, places) { means[channel] += clamped(value) / pixels }
    return psnr(truth.count) { place in means[places[place]] - clamped(truth[place]) }
  }

  /// Where `value`, clamped to the range, lies in it: 0 at its lower and 1 at its upper bound.
  func share(_ value: Double) -> Double {
    // Halves, so that the width of a huge range stays finite.
    (clamped(value) / 2 - range.lowerBound / 2) / (range.upperBound / 2 - range.lowerBound / 2)
  }

  private func clamped(_ value: Double) -> Double {
    min(max(value, range.lowerBound), range.upperBound)
  }

  private func psnr(_ count: Int, gap: (Int) -> Double) -> Double {
    let sum = (0..<count).reduce(0.0) { $0 + gap($1) * gap($1) }
    return Decibels.psnr(meanSquaredError: sum / Double(max(count, 1)), peak: peak)
  }
}
