#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Logarithmic measures of error.
package enum Decibels {
  /// `10 log₁₀(peak² / error)`, at most 400 dB.
  ///
  /// - An error of zero gives 400.
  /// - An error that is no number gives none.
  package static func psnr(meanSquaredError error: Double, peak: Double = 1) -> Double {
    // As a difference of logarithms, since the square of a peak may be beyond every number.
    guard !error.isNaN else { return .nan }
    return error > 0 ? min(20 * log10(peak) - 10 * log10(error), 400) : 400
  }
}
