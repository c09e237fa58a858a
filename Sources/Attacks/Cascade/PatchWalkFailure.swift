package import LinearAlgebra

/// Why the positions of a map do not follow from a weight gradient.
package enum PatchWalkFailure: Error, Equatable, CustomStringConvertible {
  case stride(Int)
  /// A kernel of one row or column over a map with several.
  case noNeighbours(kernel: [Int])
  case noPadding
  case tooFewOutputs(outputs: Int, positions: Int)
  case tooFewInputs(inputs: Int, positions: Int)
  case rank(Int, positions: Int)
  /// The best corner's smallest singular value divided by the next.
  case ambiguousCorner(gap: Double)
  /// What the patches leave unexplained exceeds the noise by this factor.
  case inconsistent(excess: Double)
  /// An entry is this far from every value that it can have.
  case notDiscrete(distance: Double)
  /// The rounded entries of an output do not add up to what its bias gradient says.
  case wrongSum(output: Int, found: Double, expected: Double)
  /// Without neighbours or a border, positions are found by enumeration.
  case tooManyPositions(Int, limit: Int)
  /// So many columns of permitted values where there are so many positions.
  case columns(found: Int, positions: Int)
  /// Several positions of one pooling window carry the gradient of its maximum.
  case severalWinners(output: Int, window: Int)
  /// Patches whose overlaps do not join them to a map of this size.
  case disordered(height: Int, width: Int)
  /// Nothing below this layer tells in which order the positions lie.
  case orderOpen(behind: String)
  case algebra(LinearAlgebraError)

  package var description: String {
    switch self {
    case .stride(let stride):
      "With stride \(stride) neighbouring patches do not overlap by one step; the walk needs 1."
    case .noNeighbours(let kernel):
      "A kernel of \(kernel[0]) × \(kernel[1]) sees no neighbours along an axis of the map."
    case .noPadding:
      "Without zero padding on both axes nothing tells where the map begins."
    case .tooFewOutputs(let outputs, let positions):
      "\(outputs) output channels cannot tell \(positions) positions apart; as many are needed."
    case .tooFewInputs(let inputs, let positions):
      "The overlap of patches of \(inputs) input channels does not fix \(positions) positions."
    case .rank(let rank, let positions):
      "The weight gradient has rank \(rank), the map \(positions) positions; they must agree. "
        + (rank < positions
          ? "A position without gradient in any channel, or noise, hides the rest."
          : "Noise above the stated tolerance, or several samples, raise the rank.")
    case .ambiguousCorner(let gap):
      "No corner of the map stands out: its singular value is \(gap) of the next. "
        + "Padding that is not zero, and too few output channels, look like this."
    case .inconsistent(let excess):
      "Overlapping patches disagree by \(excess) times the noise. "
        + "Positions whose gradients are in proportion look like this."
    case .notDiscrete(let distance):
      "An entry is \(distance) away from every value that it can have."
    case .wrongSum(let output, let found, let expected):
      "The entries of output \(output) add up to \(found), its bias gradient says \(expected)."
    case .tooManyPositions(let positions, let limit):
      "\(positions) positions without neighbours, or without zero padding, are too many to enumerate; at "
        + "most \(limit)."
    case .columns(let found, let positions):
      "\(found) columns have permitted values only, where the map has \(positions) positions."
    case .severalWinners(let output, let window):
      "Window \(window) of output \(output) has more than one winner."
    case .disordered(let height, let width):
      "The overlaps of patches do not join them to one map of \(height) × \(width). "
        + "Reflected padding and patches of zeros look like this."
    case .orderOpen(let layer):
      "The positions are known as a set only: nothing below '\(layer)' tells their order."
    case .algebra(let error):
      error.description
    }
  }

  /// How far a walk came: before any number, to the rank, a corner, all positions, their values.
  var stage: Int {
    switch self {
    case .stride, .noNeighbours, .noPadding, .algebra: 0
    case .tooFewOutputs, .tooFewInputs, .rank, .tooManyPositions: 1
    case .ambiguousCorner, .columns: 2
    case .inconsistent, .disordered, .orderOpen: 3
    case .notDiscrete, .wrongSum, .severalWinners: 4
    }
  }

  /// The body's value, or its failure in these terms.
  static func algebra<T>(
    _ body: () throws(LinearAlgebraError) -> T
  ) throws(PatchWalkFailure) -> T {
    do { return try body() } catch { throw .algebra(error) }
  }
}
