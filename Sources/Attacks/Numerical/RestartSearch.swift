internal import TensorIR

/// A search at work on one restart at a time.
protocol RestartSearch: AnyObject {
  /// Takes up a restart where it stands.
  func load(_ vectors: [String: [Double]])
  /// Takes a step.
  ///
  /// - Returns: The objective at the point it started from; `nil` if no step leads on.
  func step(rate: Double) throws(BackendError) -> Double?
  /// The state between two steps.
  func vectors() -> [String: [Double]]
  /// The objective where the search stands.
  func objective() throws(BackendError) -> Double
}
