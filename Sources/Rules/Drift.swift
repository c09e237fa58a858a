package import Networks
internal import Tensors

/// How far one weight lies from the one it is compared with.
package struct Drift: Sendable {
  package var node: Int
  package var layer: String
  package var role: ParameterRole
  package var shape: [Int]
  /// `‖w − r‖ / ‖r‖`, dimensionless; infinite where the reference is zero and the weight is not, NaN
  /// where either holds NaN or infinity.
  package var distance: Double
  /// The cosine between both; 1 where both are zero, NaN where either holds NaN or infinity.
  package var cosine: Double

  /// Every parameter that both have in the same shape, in node order and then by role.
  ///
  /// Nothing is compared between files that hold their kernels in different orders of axes.
  package static func all(in subject: Subject) -> [Drift] {
    guard let reference = subject.reference, let parameters = subject.parameters,
      parameters.table.convention == reference.parameters.table.convention
    else { return [] }
    return parameters.table.keys.compactMap { key in
      guard let partner = partner(of: key.node, in: subject),
        let own = parameters.table[key.node, key.role],
        let kept = reference.parameters.table[partner, key.role], own.shape == kept.shape
      else { return nil }
      let (product, squares, keptSquares, gap) = sums(own, kept)
      guard squares.isFinite, keptSquares.isFinite else {
        return Drift(
          node: key.node, layer: subject.network.nodes[key.node].name, role: key.role,
          shape: own.shape, distance: .nan, cosine: .nan)
      }
      let distance =
        keptSquares > 0 ? (gap / keptSquares).squareRoot() : gap > 0 ? Double.infinity : 0
      let size = (squares * keptSquares).squareRoot()
      return Drift(
        node: key.node, layer: subject.network.nodes[key.node].name, role: key.role,
        shape: own.shape, distance: distance, cosine: size > 0 ? product / size : gap > 0 ? 0 : 1)
    }
  }

  /// The node of the reference that has the place of node `index`: by name, else by position.
  static func partner(of index: Int, in subject: Subject) -> Int? {
    guard let reference = subject.reference else { return nil }
    let node = subject.network.nodes[index]
    if let named = reference.network.nodes.firstIndex(where: { $0.name == node.name }) {
      return named
    }
    guard reference.network.nodes.indices.contains(index),
      reference.network.nodes[index].layer.kind == node.layer.kind
    else { return nil }
    return index
  }

  /// `Σ w r`, `Σ w²`, `Σ r²` and `Σ (w − r)²`.
  private static func sums(
    _ own: Tensor, _ kept: Tensor
  ) -> (product: Double, squares: Double, keptSquares: Double, gap: Double) {
    var (product, squares, keptSquares, gap) = (0.0, 0.0, 0.0, 0.0)
    let block = 1 << 15
    for start in stride(from: 0, to: own.count, by: block) {
      let range = start..<min(start + block, own.count)
      for (w, r) in zip(own.elements(in: range), kept.elements(in: range)) {
        product += w * r
        squares += w * w
        keptSquares += r * r
        gap += (w - r) * (w - r)
      }
    }
    return (product, squares, keptSquares, gap)
  }
}
