/// A map of which some or all entries are known, each with its standard error.
package struct KnownMap {
  package var values: [Double]
  /// Standard errors; infinite where nothing is known.
  package var errors: [Double]

  package init(_ values: [Double], errors: [Double]) {
    self.values = values
    self.errors = errors
  }

  package init(_ values: [Double], error: Double) {
    self.init(values, errors: Array(repeating: error, count: values.count))
  }

  var knownCount: Int { errors.count { $0.isFinite } }
  var isComplete: Bool { errors.allSatisfy(\.isFinite) }
}

extension [Double] {
  /// `√(Σ x² / n)`; zero for an empty list.
  var rootMeanSquareOrZero: Double {
    isEmpty ? 0 : (reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
  }
}
