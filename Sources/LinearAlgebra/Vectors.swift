private import CLAPACK

extension [Double] {
  /// The sum of products, on the calling thread.
  ///
  /// - Precondition: equal counts.
  package func dot(_ other: [Double]) -> Double {
    precondition(count == other.count)
    // Safe: both arrays have `count` elements, which are only read.
    return unsafe leak_blas_dot(Int64(count), self, other)
  }

  /// The square root of the sum of squares; underflows under 1e-160.
  package var euclideanNorm: Double { dot(self).squareRoot() }

  /// Adds `factor` times the other vector.
  ///
  /// - Precondition: equal counts.
  package mutating func add(_ factor: Double, times other: [Double]) {
    precondition(count == other.count)
    // Safe: both arrays have `count` elements; exclusivity keeps them apart.
    unsafe leak_blas_add(Int64(count), factor, other, &self)
  }
}
