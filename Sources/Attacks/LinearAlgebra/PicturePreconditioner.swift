#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What a quasi-Newton method on pictures takes for the inverse of the Hessian before it knows better:
/// large where amplitudes of natural pictures are, which fall as the inverse of the frequency.
///
/// Without it all pixels are equally important, and a search gets lost in noise that it first has to
/// put there. Measured with L-BFGS from grey (seed 0): on the output of the first pooling of ConvNet64,
/// 108 evaluations, 16.3 dB without, 41.7 dB with exponent 1/2 and 34.8 dB with 1; on the gradient of
/// two samples of LeNet, 850 evaluations, 15.4 and 22.2 dB, 23.8 and 31.2 dB, 24.3 and 31.8 dB.
///
/// It serves far from the solution. Near it, what is still wrong is mostly fine detail, and steps of
/// Gauss-Newton solved in such unknowns took two to three times the products (ResNet-18 1,406 instead of
/// 446).
///
/// - Source: Field 1987, *Relations between the statistics of natural images and the response
///   properties of cortical cells*, for the spectrum; no paper for its use here.
package struct PicturePreconditioner: Sendable {
  private let samples: Int
  private let basis: PictureBasis
  /// The weight of each coefficient, the square of its amplitude.
  private let weights: [Double]

  /// Amplitudes of differences between channels, relative to those of their mean.
  private static let differences = 1.0 / 3

  /// - Parameters:
  ///   - shape: Of one sample, as it is held: spatial axes and one of channels.
  ///   - isChannelsFirst: Whether the channels are the first axis, rather than the last.
  ///   - samples: How many lie one behind the other.
  ///   - exponent: Amplitudes are taken to fall as the frequency to this power.
  init(shape: [Int], isChannelsFirst: Bool, samples: Int = 1, exponent: Double) {
    self.samples = samples
    basis = PictureBasis(shape: shape, isChannelsFirst: isChannelsFirst)
    // Vectors have no frequencies.
    guard shape.count > 1 else {
      weights = Array(repeating: 1, count: basis.count)
      return
    }
    weights = zip(basis.squaredFrequencies, basis.isDifference).map { square, isDifference in
      // In periods, plus one that the mean has an amplitude too.
      let amplitude = pow(1 + Double(square).squareRoot() / 2, -exponent)
      let share = isDifference ? Self.differences : 1
      return (amplitude * share) * (amplitude * share)
    }
  }

  /// The product with a gradient; what lies behind the samples stays as it is.
  func callAsFunction(_ gradient: [Double]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(gradient.count)
    for sample in 0..<samples {
      let own = Array(gradient[sample * basis.count..<(sample + 1) * basis.count])
      result += basis.values(zip(basis.coefficients(own), weights).map { $0 * $1 })
    }
    return result + gradient[(samples * basis.count)...]
  }
}
