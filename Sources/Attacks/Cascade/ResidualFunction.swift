package import LinearAlgebra

/// Residuals as a function of the model input, with both products of its Jacobian.
package protocol ResidualFunction: AnyObject {
  /// Number of residuals.
  var count: Int { get }
  func residuals(at x: [Double]) throws(CascadeStop) -> [Double]
  /// Chooses the point of ``push(_:)`` and ``pull(_:)``.
  func linearize(at x: [Double]) throws(CascadeStop)
  /// `J v`.
  func push(_ direction: [Double]) throws(CascadeStop) -> [Double]
  /// `Jᵀ u`.
  func pull(_ cotangent: [Double]) throws(CascadeStop) -> [Double]
  /// `J` written out, if it is small enough; in single precision, for preconditioning.
  ///
  /// - Shape: residuals × values of the input.
  func jacobian() throws(CascadeStop) -> DenseMatrix?
}

extension ResidualFunction {
  package func jacobian() throws(CascadeStop) -> DenseMatrix? { nil }
}
