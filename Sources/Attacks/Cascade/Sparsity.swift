package import Networks
internal import Tensors

/// A gradient of which only the largest entries were kept.
package struct Sparsity {
  /// The smallest magnitude that was kept.
  package let threshold: Double
  /// Standard deviation of a dropped entry, if nothing but the threshold is known of it.
  var deviationOfDropped: Double { threshold / 3.0.squareRoot() }

  /// - Returns: `nil` unless most entries are zero and the others keep away from zero. Units that were
  ///   never active leave zeros too, but what the others leave comes close to zero.
  package init?(_ gradient: ParameterTable) {
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

extension Sparsity {
  /// The features that enter a dense layer: those whose entries were dropped are known to be small.
  func features(_ recovery: Knowledge.Recovery) -> KnownMap {
    var map = KnownMap(recovery.samples[0], error: recovery.predictedError)
    let largest = recovery.outputGradient?.reduce(0) { max($0, abs($1)) } ?? 0
    guard largest > 0, let isDetermined = recovery.isDetermined else { return map }
    for index in map.errors.indices where !isDetermined[index] {
      map.values[index] = 0
      map.errors[index] = deviationOfDropped / largest
    }
    return map
  }

  /// The loss gradient behind the output layer, where some of its entries were dropped.
  func outputGradient(
    _ recovery: Knowledge.Recovery, _ observation: Observation
  ) -> [Double]? {
    guard let kept = recovery.outputGradient, let lowest = kept.min() else { return nil }
    return SoftmaxHead(recovery, observation)?.gradient(
      tolerances: kept.map { $0 == 0 ? 2 * threshold : 0.05 * abs(lowest) })
  }
}
