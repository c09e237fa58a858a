internal import Networks
internal import Tensors

/// Every observed gradient below a dense layer, and that layer's known input, against what an input
/// would give; all divided by their standard errors.
///
/// The loss gradient behind the dense layer is given as it was observed, so neither the loss nor a
/// common factor of all gradients matters.
package final class GradientResiduals: NetworkResiduals {
  /// - Throws: ``CascadeStop`` if no gradient below the dense layer was observed.
  package init(_ walk: CascadeWalk) throws(CascadeStop) {
    guard case .node(let before)? = walk.network.nodes[walk.start].sources.first,
      let features = walk.maps[.node(before)]
    else { throw CascadeStop("the dense layer reads the model input") }
    let floor = 0x1p-53 * features.values.rootMeanSquareOrZero
    var comparison = Comparison(
      node: before, target: features.values, isInactive: features.values.map { _ in false },
      targetWeights: features.errors.map { 1 / max($0, floor, .leastNormalMagnitude) },
      heads: [(walk.start, walk.gradients[.node(walk.start)] ?? [])])
    for key in walk.observation.gradient.keys
    where walk.nodes.contains(key.node) && key.node != walk.start && key.role.isTrainable {
      guard
        let elements = walk.programs.elements(key.node, key.role, of: walk.observation.gradient),
        elements.allSatisfy(\.isFinite)
      else { continue }
      let size = elements.rootMeanSquareOrZero
      guard size > 0 else { continue }
      comparison.keys.append(key)
      comparison.observed.append(elements)
      comparison.weights.append(
        1 / max(walk.observation.roundingError(key.node, key.role), 1e-16 * size))
    }
    guard !comparison.keys.isEmpty else {
      throw CascadeStop("no gradient below the dense layer was observed")
    }
    super.init(comparison, walk.programs)
  }
}
