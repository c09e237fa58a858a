#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

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
  /// For each spatial axis the orthonormal cosine transform, frequencies × places.
  private let cosines: [[Double]]

  /// - Parameters:
  ///   - shape: Spatial axes, then channels.
  ///   - mean: The level of every entry.
  ///   - deviation: Root-mean-square distance of an entry from that.
  package init(shape: [Int], mean: Double, deviation: Double) {
    self.shape = shape
    self.mean = mean
    cosines = shape.dropLast().map(Self.cosines)
    let channels = max(shape.last ?? 1, 1)
    let places = shape.dropLast().reduce(1, *)
    var squares = Array(repeating: 0, count: places)
    var stride = places
    for extent in shape.dropLast() {
      stride /= extent
      for place in 0..<places {
        let frequency = place / stride % extent
        squares[place] += frequency * frequency
      }
    }
    let octave = squares.map { square in
      square == 0 ? 0 : 1 + (Int.bitWidth - 1 - square.leadingZeroBitCount) / 2
    }
    let count = (octave.max() ?? 0) + 1
    octaves = (0..<places * channels).map {
      octave[$0 / channels] + ($0 % channels == 0 ? 0 : count)
    }
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
    let coefficients = coefficients(v)
    return coefficients.indices.map { coefficients[$0] / deviations[octaves[$0]] }
  }

  /// The transpose of ``whitened(_:)``.
  package func whitenedTranspose(_ v: [Double]) -> [Double] {
    values(v.indices.map { v[$0] / deviations[octaves[$0]] })
  }

  /// The inverse of ``whitened(_:)``.
  package func colored(_ v: [Double]) -> [Double] {
    values(v.indices.map { v[$0] * deviations[octaves[$0]] })
  }

  /// The transpose of ``colored(_:)``.
  package func coloredTranspose(_ v: [Double]) -> [Double] {
    let coefficients = coefficients(v)
    return coefficients.indices.map { coefficients[$0] * deviations[octaves[$0]] }
  }

  /// Replaces the deviation of every octave by the root mean square of its coefficients: those of an
  /// estimate and, squared and added, those of a draw of what the estimate may be off.
  package mutating func adapt(to estimate: [Double], spread: [Double]) {
    let found = coefficients(estimate.map { $0 - mean })
    let missing = coefficients(spread)
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

// MARK: - Coefficients

extension InputPrior {
  private func coefficients(_ values: [Double]) -> [Double] {
    var result = reflected(values)
    for axis in cosines.indices { result = product(result, axis, isTransposed: false) }
    return result
  }

  private func values(_ coefficients: [Double]) -> [Double] {
    var result = coefficients
    for axis in cosines.indices { result = product(result, axis, isTransposed: true) }
    return reflected(result)
  }

  /// The reflection that takes equal channels to the first; its own inverse.
  private func reflected(_ values: [Double]) -> [Double] {
    let channels = max(shape.last ?? 1, 1)
    guard channels > 1 else { return values }
    let even = 1 / Double(channels).squareRoot()
    var normal = Array(repeating: even, count: channels)
    normal[0] -= 1
    let square = normal.reduce(0) { $0 + $1 * $1 }
    var result = values
    for start in stride(from: 0, to: values.count, by: channels) {
      var along = 0.0
      for channel in 0..<channels { along += normal[channel] * values[start + channel] }
      along *= 2 / square
      for channel in 0..<channels { result[start + channel] -= along * normal[channel] }
    }
    return result
  }

  private func product(_ values: [Double], _ axis: Int, isTransposed: Bool) -> [Double] {
    let (matrix, extent) = (cosines[axis], shape[axis])
    let inner = shape[(axis + 1)...].reduce(1, *)
    var result = Array(repeating: 0.0, count: values.count)
    for start in stride(from: 0, to: values.count, by: extent * inner) {
      for row in 0..<extent {
        for column in 0..<extent {
          let factor = matrix[isTransposed ? column * extent + row : row * extent + column]
          let (to, from) = (start + row * inner, start + column * inner)
          for index in 0..<inner { result[to + index] += factor * values[from + index] }
        }
      }
    }
    return result
  }

  private static func cosines(_ extent: Int) -> [Double] {
    (0..<extent * extent).map { index in
      let (frequency, place) = (index / extent, index % extent)
      let angle = Double.pi * Double(frequency) * (Double(place) + 0.5) / Double(extent)
      return (frequency == 0 ? 1 : 2.0.squareRoot()) * cos(angle) / Double(extent).squareRoot()
    }
  }
}
