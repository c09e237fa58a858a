internal import LinearAlgebra
internal import TensorIR

/// The residuals of all observed gradients, each row with a scale of its own, and below them those of a
/// prior: what is minimised is the negative logarithm of the posterior density.
final class RegularizedResiduals: ResidualFunction {
  let gradients: GradientResiduals
  var prior: InputPrior
  /// One factor per row of the gradients; 0 leaves a row out.
  var scales: [Double]

  init(_ gradients: GradientResiduals, prior: InputPrior) {
    self.gradients = gradients
    self.prior = prior
    scales = Array(repeating: 1, count: gradients.count)
  }

  var count: Int { scales.count + prior.shape.reduce(1, *) }

  /// Unknowns in which the prior is the unit matrix.
  var preconditioner: LSMR.Preconditioner {
    let prior = prior
    return .init(inverse: prior.colored, transposedInverse: prior.coloredTranspose)
  }

  func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    let rows = try gradients.residuals(at: x)
    return zip(rows, scales).map { $0 * $1 } + prior.whitened(x.map { $0 - prior.mean })
  }

  func linearize(at x: [Double]) throws(CascadeStop) { try gradients.linearize(at: x) }

  func push(_ direction: [Double], in precision: Precision) throws(CascadeStop) -> [Double] {
    let rows = try gradients.push(direction, in: precision)
    return zip(rows, scales).map { $0 * $1 } + prior.whitened(direction)
  }

  func pull(_ cotangent: [Double], in precision: Precision) throws(CascadeStop) -> [Double] {
    let rows = zip(cotangent, scales).map { $0 * $1 }
    let (first, second) = (
      try gradients.pull(rows, in: precision),
      prior.whitenedTranspose(Array(cotangent[scales.count...]))
    )
    return zip(first, second).map { $0 + $1 }
  }

  func jacobian() throws(CascadeStop) -> DenseMatrix? {
    guard let upper = try gradients.jacobian() else { return nil }
    let unknowns = upper.columns
    var elements: [Double] = []
    elements.reserveCapacity(count * unknowns)
    for column in 0..<unknowns {
      for row in 0..<upper.rows {
        elements.append(upper.elements[column * upper.rows + row] * scales[row])
      }
      var unit = Array(repeating: 0.0, count: unknowns)
      unit[column] = 1
      elements += prior.whitened(unit)
    }
    return DenseMatrix(rows: count, columns: unknowns, elements: elements)
  }
}
