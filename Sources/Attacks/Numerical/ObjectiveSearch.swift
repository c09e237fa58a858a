internal import AuditModel
internal import TensorIR

/// Adam on an objective that is no single program, with the same steps as ``GradientSearch``.
final class ObjectiveSearch: RestartSearch {
  private let function: any MatchingObjective
  private let isSigned: Bool
  private let constants = GradientMatching.Step()
  /// The bounds of every entry; what lies behind the inputs, such as labels, has none.
  private let bounds: [ClosedRange<Double>]
  private var point: [Double] = []
  private var momentum: [Double] = []
  private var variance: [Double] = []
  private var powers = [1.0, 1.0]

  init(
    _ function: any MatchingObjective, _ settings: InversionSettings, box: InputBox?,
    shape: [Int]
  ) {
    self.function = function
    isSigned = settings.optimizer == .signedAdam
    bounds = box?.bounds(in: shape) ?? []
  }

  func load(_ vectors: [String: [Double]]) {
    point = vectors[RestartState.input] ?? []
    momentum = vectors["momentum"] ?? []
    variance = vectors["variance"] ?? []
    powers = [vectors["first-power"]?.first ?? 1, vectors["second-power"]?.first ?? 1]
  }

  func step(rate: Double) throws(BackendError) -> Double? {
    let (objective, gradient) = try function.evaluate(at: point)
    powers[0] *= constants.firstDecay
    powers[1] *= constants.secondDecay
    for place in point.indices {
      let slope = gradient[place]
      let direction = isSigned ? (slope > 0 ? 1 : slope < 0 ? -1 : 0) : slope
      momentum[place] =
        constants.firstDecay * momentum[place] + (1 - constants.firstDecay) * direction
      variance[place] =
        constants.secondDecay * variance[place]
        + (1 - constants.secondDecay) * (direction * direction)
      let root = (variance[place] / (1 - powers[1])).squareRoot()
      point[place] -= rate * (momentum[place] / (1 - powers[0]) / (root + constants.epsilon))
    }
    point.clamp(to: bounds)
    return objective
  }

  func vectors() -> [String: [Double]] {
    [
      RestartState.input: point, "momentum": momentum, "variance": variance,
      "first-power": [powers[0]], "second-power": [powers[1]],
    ]
  }

  func objective() throws(BackendError) -> Double {
    try function.evaluate(at: point).objective
  }
}
