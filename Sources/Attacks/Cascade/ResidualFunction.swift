package import LinearAlgebra
package import TensorIR

/// Residuals as a function of the model input, with both products of its Jacobian.
package protocol ResidualFunction: AnyObject {
  /// Number of residuals.
  var count: Int { get }
  /// In double precision.
  func residuals(at x: [Double]) throws(CascadeStop) -> [Double]
  /// Chooses the point of ``push(_:in:)`` and ``pull(_:in:)``.
  func linearize(at x: [Double]) throws(CascadeStop)
  /// `J v`.
  func push(_ direction: [Double], in precision: Precision) throws(CascadeStop) -> [Double]
  /// `Jᵀ u`.
  func pull(_ cotangent: [Double], in precision: Precision) throws(CascadeStop) -> [Double]
  /// `J` written out, if it is small enough; in single precision, for preconditioning.
  ///
  /// - Shape: residuals × values of the input.
  func jacobian() throws(CascadeStop) -> DenseMatrix?
}

extension ResidualFunction {
  package func jacobian() throws(CascadeStop) -> DenseMatrix? { nil }
}
