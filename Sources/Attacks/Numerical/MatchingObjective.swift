package import TensorIR

/// What a search minimises, as a function of the inputs that are sought.
package protocol MatchingObjective: AnyObject {
  /// Number of values that are sought.
  var count: Int { get }
  /// The objective and its gradient at a point, row-major as the graph holds it.
  func evaluate(
    at x: [Double]
  ) throws(BackendError) -> (objective: Double, gradient: [Double])
}
