internal import Networks

/// What the cascade asks of the slope of an activation.
extension ActivationFunction {
  /// `φ′` where the output determines it, by its inverse if need be.
  func slope(knownOutput y: Double) -> Double? {
    slope(atOutput: y) ?? inverse(y).flatMap { slope($0) }
  }

  /// Whether slopes change with the value rather than in steps.
  var isSmooth: Bool {
    switch self {
    case .linear, .relu, .relu6, .leakyReLU, .hardSigmoid: false
    default: true
    }
  }

  /// The slopes of a piecewise-linear function with two of them.
  var levels: [Double]? {
    switch self {
    case .relu: [0, 1]
    case .leakyReLU(let slope): [slope, 1]
    default: nil
    }
  }
}
