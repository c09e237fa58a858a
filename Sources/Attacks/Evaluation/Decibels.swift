#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Logarithmic measures of error.
package enum Decibels {
  /// `10 log₁₀(1 / error)` for values with peak 1; capped at 400 dB for an error of zero.
  package static func psnr(meanSquaredError error: Double) -> Double {
    error > 0 ? min(-10 * log10(error), 400) : 400
  }
}
