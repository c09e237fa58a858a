internal import Networks
internal import Tensors

/// How exactly the observed numbers of one layer can be known, which decides what "equal" means.
struct RoundingLevel {
  /// Whether the numbers are coarser than single precision; then the network may have rounded its
  /// own input as well, which no averaging over rows undoes.
  var isReduced: Bool { unitRoundoff > 0x1p-24 }
  /// Root-mean-square error of an entry of the weight gradient, absolute.
  var weightError: Double
  /// Root-mean-square error of an entry of the bias gradient, absolute.
  var biasError: Double
  /// The relative residual up to which one sample explains the gradient.
  var tolerance: Double
  /// Relative error of one rounding.
  var unitRoundoff: Double
  /// Whether errors are independent of an entry's size, as in a difference of parameters.
  var isAbsolute: Bool

  /// Eight times the expected residual: products are rounded once or twice on their way to the file,
  /// and single precision on accelerators keeps a few guard bits less than IEEE asks for.
  private static let margin = 8.0

  init(_ observation: Observation, _ node: Int, matrix: Matrix, norm: Double) {
    weightError = Self.storedError(observation, node, .weight)
    biasError = Self.storedError(observation, node, .bias)
    unitRoundoff = matrix.tensor.resolution.unitRoundoff
    isAbsolute = observation.source == .update
    let expected =
      weightError * Double(matrix.tensor.count).squareRoot() / max(norm, .leastNonzeroMagnitude)
    tolerance = Self.margin * max(expected, unitRoundoff)
    // Doubles hold sums whose order is not known: grant them what a long sum loses.
    tolerance = max(tolerance, 1e-12)
  }

  /// What rounding alone explains of an entry's error.
  ///
  /// Stated noise is no part of it: a tolerance as wide as the noise would call a mixture of samples
  /// one sample, and a proof must not get easier the less is known.
  private static func storedError(
    _ observation: Observation, _ node: Int, _ role: ParameterRole
  ) -> Double {
    let error = observation.roundingError(node, role)
    guard let noise = observation.noise else { return error }
    return max(error * error - noise * noise, 0).squareRoot()
  }

  /// Whether the bias gradient is what cancellation leaves of a sum as large as the weights'.
  func isBiasNoise(bias: Double, matrix: Double) -> Bool { bias < 64 * unitRoundoff * matrix }
}
