internal import AuditModel
internal import LinearAlgebra

extension GradientMatching.Distance {
  /// Turns simulated tensors into the slope of their distance from observed ones, over all entries at
  /// once.
  ///
  /// Nothing as large as the tensors is allocated.
  ///
  /// - Parameters:
  ///   - simulated: Tensors, which the slope replaces.
  ///   - observed: One for each; `nil` where it is not compared, and the slope is 0.
  /// - Returns: The distance. It is not a number where it is an angle and all compared entries are 0.
  func value(replacingBySlope simulated: inout [[Double]], observed: [[Double]?]) -> Double {
    var (own, other, product) = (0.0, 0.0, 0.0)
    for (place, observed) in observed.enumerated() {
      guard let observed else {
        for entry in simulated[place].indices { simulated[place][entry] = 0 }
        continue
      }
      if self == .squared { simulated[place].add(-1, times: observed) }
      own += simulated[place].dot(simulated[place])
      guard self == .cosine else { continue }
      other += observed.dot(observed)
      product += simulated[place].dot(observed)
    }
    switch self {
    case .cosine:
      let norms = own.squareRoot() * other.squareRoot()
      for (place, observed) in observed.enumerated() {
        guard let observed else { continue }
        simulated[place].scale(by: product / (norms * own))
        simulated[place].add(-1 / norms, times: observed)
      }
      return 1 - product / norms
    case .squared:
      for place in simulated.indices { simulated[place].scale(by: 2) }
      return own
    }
  }
}

extension [Double] {
  fileprivate mutating func scale(by factor: Double) {
    for place in indices { self[place] *= factor }
  }
}
