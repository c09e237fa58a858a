package import Networks
internal import Tensors

/// The deepest determined map, and the weight gradients of the layers that read it and of those just
/// below it, against what a model input would give.
///
/// The loss gradients at these layers are known, so everything is a function of forward passes alone:
/// where a ReLU was active, what enters it has to be equal; where it was not, what enters must not be
/// above zero; and `W̄ = G(z̄) x` holds for the map `x` that was left open, as it does for the determined
/// one. At first every block is divided by its own size.
package final class FrontierResiduals: NetworkResiduals {
  /// Standard errors of the map's residuals, and of each gradient's, in the gradients' own units.
  private let deviations: (map: [Double], gradients: [Double])

  /// Residuals that have to vanish, whatever the sign, and follow from no others.
  package let equalities: Int

  /// - Throws: ``CascadeStop`` if nothing leads from the input to the map.
  package init(
    _ source: Network.Source, _ map: KnownMap, walk: CascadeWalk, usesGradients: Bool
  ) throws(CascadeStop) {
    guard case .node(let node) = source else {
      throw CascadeStop("the map is the model input")
    }
    var (depth, target, errors) = (node, map.values, map.errors)
    var inactive = map.values.map { _ in false }
    if case .elementwise(let function) = walk.linearity(node),
      case .node(let before)? = walk.network.nodes[node].sources.first
    {
      let inverses = map.values.map { function.inverse($0) }
      if function == .relu || inverses.allSatisfy({ $0 != nil }) {
        depth = before
        target = inverses.map { $0 ?? 0 }
        errors = map.values.indices.map { index in
          errors[index] / max(inverses[index].flatMap { function.slope($0) } ?? 1, 1e-12)
        }
        // Five errors above zero may be noise of an entry that is far below.
        if function == .relu {
          inactive = map.values.indices.map { map.values[$0] <= 5 * map.errors[$0] }
        }
      }
    }
    let size = target.rootMeanSquareOrZero
    var comparison = Comparison(
      node: depth, target: target, isInactive: inactive,
      targetWeights: Array(repeating: size > 0 ? 1 / size : 1, count: target.count))
    var gradientErrors: [Double] = []
    // What the map's own equations say, its entries say too.
    var equalities = inactive.count { !$0 }
    // The map's own equations tell more than its entries, whose errors are not independent.
    let values = [walk.openSource, source].compactMap { $0 }.filter { _ in usesGradients }
    for (value, reader) in values.flatMap({ value in walk.readers(of: value).map { (value, $0) } })
    {
      guard let head = walk.gradients[.node(reader)],
        KernelSite(
          reader, of: walk.network, input: walk.programs.shape(of: value),
          output: walk.programs.shape(of: .node(reader))) != nil,
        let gradient = walk.programs.elements(reader, .weight, of: walk.observation.gradient)
      else { continue }
      let size = gradient.rootMeanSquareOrZero
      guard size > 0 else { continue }
      if value != source { equalities += gradient.count }
      comparison.heads.append((reader, head))
      comparison.keys.append(ParameterTable.Key(node: reader, role: .weight))
      comparison.observed.append(gradient)
      comparison.weights.append(1 / size)
      let own = walk.observation.roundingError(reader, .weight)
      let other = (walk.gradientErrors[.node(reader)] ?? 0) * size
      gradientErrors.append((own * own + other * other).squareRoot())
    }
    self.equalities = equalities
    deviations = (errors, gradientErrors)
    super.init(comparison, walk.programs)
  }

  /// Divides every residual by its standard error from now on.
  ///
  /// Far from the solution equal weights converge better; near it these are the right ones.
  package func weighByErrors() {
    let floor = 1e-12 * compared.target.rootMeanSquareOrZero
    compared.targetWeights = deviations.map.map { 1 / max($0, floor, .leastNormalMagnitude) }
    for (place, error) in deviations.gradients.enumerated() {
      compared.weights[place] = unit / max(error, floor, .leastNormalMagnitude)
    }
  }

  /// Takes errors of the map, and of each gradient, for as large as the residuals say, where they are
  /// larger: estimated variance components.
  ///
  /// - Throws: ``CascadeStop`` if a program fails.
  package func balance(at point: [Double]) throws(CascadeStop) {
    let residuals = try residuals(at: point)
    var offset = compared.target.count
    let map = Array(residuals[..<offset]).rootMeanSquareOrZero
    compared.targetWeights = compared.targetWeights.map { $0 / max(map, 1) }
    for (place, observed) in compared.observed.enumerated() {
      let end = offset + observed.count
      let block = Array(residuals[offset..<end]).rootMeanSquareOrZero
      compared.weights[place] /= max(block, 1)
      offset = end
    }
  }
}
