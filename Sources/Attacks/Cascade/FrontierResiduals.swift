package import Networks
internal import Tensors

/// Determined maps, and the weight gradients of the layers that read them and of those just below,
/// against what a model input would give.
///
/// The loss gradients at these layers are known, so everything is a function of forward passes alone:
/// where a ReLU was active, what enters it has to be equal; where it was not, what enters must not be
/// above zero; and `W̄ = G(z̄) x` holds for the map `x` that was left open, as it does for a determined
/// one. At first every block is divided by its own size.
package final class FrontierResiduals: NetworkResiduals {
  /// Standard errors of the maps' residuals, and of each gradient's, in the gradients' own units.
  private let deviations: (maps: [Double], gradients: [Double])

  /// Residuals that have to vanish, whatever the sign, and follow from no others.
  package let equalities: Int

  /// - Parameters:
  ///   - sources: Determined maps.
  ///   - walk: What determined them.
  ///   - usesGradients: Whether gradients take part, or the entries of the maps alone.
  /// - Throws: ``CascadeStop`` if nothing leads from the input to a map.
  package init(
    _ sources: [Network.Source], walk: CascadeWalk, usesGradients: Bool
  ) throws(CascadeStop) {
    var comparison = Comparison()
    var mapErrors: [Double] = []
    for source in sources {
      guard case .node(let node) = source, let map = walk.maps[source] else {
        throw CascadeStop("\(walk.name(source)) is no determined map")
      }
      let entries = Entries(of: map, at: node, walk)
      let size = entries.target.rootMeanSquareOrZero
      comparison.nodes.append(entries.node)
      comparison.target += entries.target
      comparison.isInactive += entries.isInactive
      comparison.targetWeights += entries.target.map { _ in size > 0 ? 1 / size : 1 }
      mapErrors += entries.errors
    }
    var gradientErrors: [Double] = []
    // What a map's own equations say, its entries say too.
    var equalities = comparison.isInactive.count { !$0 }
    // The map's own equations tell more than its entries, whose errors are not independent.
    let values = ([walk.openSource].compactMap { $0 } + sources).filter { _ in usesGradients }
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
      if !sources.contains(value) { equalities += gradient.count }
      comparison.heads.append((reader, head))
      comparison.keys.append(ParameterTable.Key(node: reader, role: .weight))
      comparison.observed.append(gradient)
      comparison.weights.append(1 / size)
      let own = walk.observation.roundingError(reader, .weight)
      let other = (walk.gradientErrors[.node(reader)] ?? 0) * size
      gradientErrors.append((own * own + other * other).squareRoot())
    }
    self.equalities = equalities
    deviations = (mapErrors, gradientErrors)
    super.init(comparison, walk.programs)
  }

  /// What is known of a map, in front of its activation where that can be undone.
  private struct Entries {
    var node: Int
    var target: [Double]
    var errors: [Double]
    var isInactive: [Bool]

    init(of map: KnownMap, at node: Int, _ walk: CascadeWalk) {
      (self.node, target, errors) = (node, map.values, map.errors)
      isInactive = map.values.map { _ in false }
      guard case .elementwise(let function) = walk.linearity(node),
        case .node(let before)? = walk.network.nodes[node].sources.first
      else { return }
      let inverses = map.values.map { function.inverse($0) }
      guard function == .relu || inverses.allSatisfy({ $0 != nil }) else { return }
      self.node = before
      target = inverses.map { $0 ?? 0 }
      errors = map.values.indices.map { index in
        map.errors[index] / max(inverses[index].flatMap { function.slope($0) } ?? 1, 1e-12)
      }
      // Five errors above zero may be noise of an entry that is far below.
      if function == .relu {
        isInactive = map.values.indices.map { map.values[$0] <= 5 * map.errors[$0] }
      }
    }
  }

  /// Divides every residual by its standard error from now on.
  ///
  /// Far from the solution equal weights converge better; near it these are the right ones.
  package func weighByErrors() {
    let floor = 1e-12 * compared.target.rootMeanSquareOrZero
    compared.targetWeights = deviations.maps.map { 1 / max($0, floor, .leastNormalMagnitude) }
    for (place, error) in deviations.gradients.enumerated() {
      compared.weights[place] = unit / max(error, floor, .leastNormalMagnitude)
    }
  }

  /// Takes errors of the maps, and of each gradient, for as large as the residuals say, where they are
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
