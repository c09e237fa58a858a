internal import Networks
internal import Tensors

/// A gradient of which only the largest entries were kept.
struct Sparsity {
  /// The smallest magnitude that was kept.
  let threshold: Double
  /// Standard deviation of a dropped entry, if nothing but the threshold is known of it.
  var deviationOfDropped: Double { threshold / 3.0.squareRoot() }

  /// - Returns: `nil` unless most entries are zero and the others keep away from zero. Units that were
  ///   never active leave zeros too, but what the others leave comes close to zero.
  init?(_ gradient: ParameterTable) {
    var (zeros, count, smallest, square) = (0, 0, Double.infinity, 0.0)
    for key in gradient.keys {
      guard let tensor = gradient[key.node, key.role] else { continue }
      let elements = tensor.elements()
      count += elements.count
      for element in elements {
        if element == 0 { zeros += 1 } else { smallest = min(smallest, abs(element)) }
        square += element * element
      }
    }
    guard zeros * 2 > count, zeros < count,
      smallest > 0.01 * (square / Double(count - zeros)).squareRoot()
    else { return nil }
    threshold = smallest
  }
}
