internal import Networks

extension CascadeWalk {
  /// Finds the active entries of a map of which only the means are known.
  func leapOverMean(_ source: Network.Source, _ readers: [Int]) throws(CascadeStop) -> Bool {
    false
  }

  /// Finds which entries won a maximum.
  func leapOverMaximum(_ source: Network.Source, _ pool: Int) throws(CascadeStop) {
    throw CascadeStop("no closed form leads through the maximum", at: pool)
  }
}
