/// What an input is expected to be before any equation is looked at: a Gaussian around one level, with
/// one deviation per octave of spatial frequency.
///
/// Amplitudes start as those of natural pictures, which fall off with frequency, and differences between
/// channels start smaller than their mean. ``adapt(to:spread:)`` then replaces each deviation by what
/// the equations say of its octave, so that noise in an input would be taken for noise.
///
/// - Source: Field 1987, *Relations between the statistics of natural images and the response
///   properties of cortical cells* (amplitudes fall as 1/f).
package struct InputPrior {
  /// Spatial axes, then channels.
  let shape: [Int]
  /// The level of every entry.
  let mean: Double
  /// The octave of each coefficient, differences between channels counted apart.
  private let octaves: [Int]
  private var deviations: [Double]
  private let basis: PictureBasis

  /// - Parameters:
  ///   - shape: Spatial axes, then channels.
  ///   - mean: The level of every entry.
  ///   - deviation: Root-mean-square distance of an entry from that.
  package init(shape: [Int], mean: Double, deviation: Double) {
    self.shape = shape
    self.mean = mean
    basis = PictureBasis(shape: shape, isChannelsFirst: false)
    let octave = basis.squaredFrequencies.map { square in
      square == 0 ? 0 : 1 + (Int.bitWidth - 1 - square.leadingZeroBitCount) / 2
    }
    let count = (octave.max() ?? 0) + 1
    octaves = zip(octave, basis.isDifference).map { $0 + ($1 ? count : 0) }
    var amplitudes = (0..<2 * count).map { index in
      let frequency = index % count == 0 ? 0.5 : Double(1 << (index % count - 1)) * 1.4
      return (index < count ? 1 : 1.0 / 3) / frequency
    }
    let energy = octaves.reduce(0) { $0 + amplitudes[$1] * amplitudes[$1] }
    let factor = deviation * (Double(octaves.count) / max(energy, 1e-300)).squareRoot()
    for index in amplitudes.indices { amplitudes[index] *= factor }
    deviations = amplitudes
  }

  /// Root-mean-square deviation of an entry from the average of its channel.
  package var detail: Double {
    let count = deviations.count / 2
    let energy = octaves.reduce(0) {
      $0 + ($1 % count == 0 ? 0 : deviations[$1] * deviations[$1])
    }
    return (energy / Double(max(octaves.count, 1))).squareRoot()
  }

  /// `C^{-1/2} v` up to a rotation: coefficients divided by their deviations.
  package func whitened(_ v: [Double]) -> [Double] {
    let coefficients = basis.coefficients(v)
    return coefficients.indices.map { coefficients[$0] / deviations[octaves[$0]] }
  }

  /// The transpose of ``whitened(_:)``.
  package func whitenedTranspose(_ v: [Double]) -> [Double] {
    basis.values(v.indices.map { v[$0] / deviations[octaves[$0]] })
  }

  /// The inverse of ``whitened(_:)``.
  package func colored(_ v: [Double]) -> [Double] {
    basis.values(v.indices.map { v[$0] * deviations[octaves[$0]] })
  }

  /// The transpose of ``colored(_:)``.
  package func coloredTranspose(_ v: [Double]) -> [Double] {
    let coefficients = basis.coefficients(v)
    return coefficients.indices.map { coefficients[$0] * deviations[octaves[$0]] }
  }

  /// Replaces the deviation of every octave by the root mean square of its coefficients: those of an
  /// estimate and, squared and added, those of a draw of what the estimate may be off.
  package mutating func adapt(to estimate: [Double], spread: [Double]) {
    let found = basis.coefficients(estimate.map { $0 - mean })
    let missing = basis.coefficients(spread)
    var (sums, counts) = (deviations.map { _ in 0.0 }, deviations.map { _ in 0.0 })
    for (index, octave) in octaves.enumerated() {
      sums[octave] += found[index] * found[index] + missing[index] * missing[index]
      counts[octave] += 1
    }
    for octave in deviations.indices where sums[octave] > 0 {
      deviations[octave] = (sums[octave] / counts[octave]).squareRoot()
    }
  }
}
