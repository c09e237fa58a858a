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

  /// At each entry the better known of two.
  func merged(with other: KnownMap) -> KnownMap {
    var result = self
    for index in errors.indices where other.errors[index] < errors[index] {
      result.values[index] = other.values[index]
      result.errors[index] = other.errors[index]
    }
    return result
  }

  /// Takes the errors of each channel for as large as its entries below zero say, of which a rectified map
  /// has none.
  ///
  /// A solve gives all channels the same errors; rounding of a weight gradient is as large as its entries.
  ///
  /// - Parameter channels: How many the last axis holds.
  mutating func widenErrors(byZerosOf channels: Int) {
    for channel in 0..<channels {
      let entries = stride(from: channel, to: values.count, by: channels)
      var (squares, count) = (Self.faith, Self.faith)
      for index in entries where values[index] < 0 && errors[index] > 0 {
        let share = values[index] / errors[index]
        squares += share * share
        count += 1
      }
      let scale = max(1, (squares / count).squareRoot())
      for index in entries { errors[index] *= scale }
    }
  }

  /// Stated errors count like so many entries below zero.
  private static let faith = 4.0
}

extension [Double] {
  /// `√(Σ x² / n)`; zero for an empty list.
  var rootMeanSquareOrZero: Double {
    isEmpty ? 0 : (reduce(0) { $0 + $1 * $1 } / Double(count)).squareRoot()
  }
}
