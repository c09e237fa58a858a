internal import Networks
internal import Tensors

/// The weights of a layer that computes classes.
struct ClassifierMatrix {
  var node: Int
  var matrix: LayerMatrix
  var bias: [Double]?

  /// The dense layers with at least three outputs that nothing but a link function follows.
  static func all(in subject: Subject) -> [ClassifierMatrix] {
    guard let parameters = subject.parameters else { return [] }
    return subject.denseNodesFacingOutput.compactMap { site, _ in
      guard let matrix = parameters.matrix(site.node), matrix.kind == .dense,
        matrix.view.rows >= 3, matrix.statistics.isFinite
      else { return nil }
      return ClassifierMatrix(
        node: site.node, matrix: matrix, bias: parameters.elements(site.node, .bias))
    }
  }

  /// The largest bias minus the smallest; 0 without biases.
  var biasRange: Double {
    guard let bias, let low = bias.min(), let high = bias.max() else { return 0 }
    return high - low
  }

  /// The largest row norm over the median one: `∞` if most rows are zero and one is not.
  var dominance: Double {
    let norms = matrix.statistics.rows.map(\.norm).sorted()
    guard let largest = norms.last, largest > 0 else { return 0 }
    return largest / norms[norms.count / 2]
  }

  /// The share of the squared weights that the largest entry holds.
  var concentration: Double {
    let rows = matrix.statistics.rows
    let energy = rows.reduce(0) { $0 + $1.squares }
    let peak = rows.reduce(0) { max($0, $1.peak) }
    return energy > 0 ? peak * peak / energy : 0
  }
}
