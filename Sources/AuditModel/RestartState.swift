/// One restart between two steps: all that going on needs.
package struct RestartState: Hashable, Sendable {
  /// Counted from 0.
  package var index: Int
  /// Steps taken.
  package var iteration = 0
  /// What was minimised, at the last point at which it was computed.
  package var objective = Double.infinity
  package var isAbandoned = false
  /// Whether no further step improves it.
  package var isConverged = false
  /// The input and whatever the optimiser carries, by name.
  package var vectors: [String: [Double]]
  package var curve: [InversionSummary.Point] = []

  /// The name of the input among ``vectors``, row-major in the order that the model declares.
  package static let input = "input"

  package init(index: Int, vectors: [String: [Double]]) {
    self.index = index
    self.vectors = vectors
  }

  package var input: [Double] { vectors[Self.input] ?? [] }
}
