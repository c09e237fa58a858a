internal import LinearAlgebra
internal import Networks
internal import TensorIR
internal import Tensors

/// Every observed gradient below a dense layer, and that layer's known input, against what an input
/// would give; all divided by their standard errors.
///
/// The loss gradient behind the dense layer is given as it was observed, so neither the loss nor a
/// common factor of all gradients matters.
package final class GradientResiduals: NetworkResiduals {
  /// Whether the gradient was computed in double precision, as far as its storage tells.
  private let isDouble: Bool

  /// - Throws: ``CascadeStop`` if no gradient below the dense layer was observed.
  package init(_ walk: CascadeWalk) throws(CascadeStop) {
    guard case .node(let before)? = walk.network.nodes[walk.start].sources.first,
      let features = walk.maps[.node(before)]
    else { throw CascadeStop("the dense layer reads the model input") }
    let floor = 0x1p-53 * features.values.rootMeanSquareOrZero
    var comparison = Comparison(
      nodes: [before], target: features.values, isInactive: features.values.map { _ in false },
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
    // What was computed in double precision has no rounding errors to speak of.
    isDouble = walk.observation.gradient.keys.allSatisfy {
      walk.observation.gradient[$0.node, $0.role]?.kind == .float64
    }
    super.init(comparison, walk.programs)
  }

  /// What single precision makes of the residuals: one draw of what the network's own arithmetic did;
  /// empty for a gradient in double precision.
  ///
  /// - Throws: ``CascadeStop`` if a program fails.
  func arithmeticErrors(at x: [Double]) throws(CascadeStop) -> [Double] {
    guard !isDouble else { return [] }
    let single = try residuals(at: x, in: .single)
    return zip(single, try residuals(at: x)).map { $0 - $1 }
  }

  /// Whether residuals are far larger than what inputs nearby change to first order.
  ///
  /// - Parameters:
  ///   - error: Standard error of an entry of the input.
  ///   - x: The input.
  /// - Returns: `false` if the error is not known.
  /// - Throws: ``CascadeStop`` if a program fails.
  package func isBeyondReach(of error: Double, around x: [Double]) throws(CascadeStop) -> Bool {
    guard error.isFinite else { return false }
    let residuals = try residuals(at: x)
    // Short, so that hardly a unit turns on the way.
    let share = 1.0 / 64
    var generator = SplitMix64(seed: 37)
    let step = x.map { _ in share * error * generator.normal() }
    // A unit that lies on its kink turns on one way and not on the way back.
    var change = Double.infinity
    for sign in [1.0, -1] {
      let moved = try self.residuals(at: zip(x, step).map { $0 + sign * $1 })
      change = min(change, zip(residuals, moved).map { $0 - $1 }.euclideanNorm)
    }
    return residuals.euclideanNorm > 10 * change / share
  }
}

// MARK: - Other observations

extension GradientResiduals {
  /// Residuals of the input that a gradient comes from: noise, and what the network's own arithmetic did.
  ///
  /// - Parameters:
  ///   - x: The input.
  ///   - trust: As of ``trust(_:in:)``.
  /// - Returns: One draw, in standard errors.
  /// - Throws: ``CascadeStop`` if a program fails.
  func draw(at x: [Double], _ trust: [Double]) throws(CascadeStop) -> [Double] {
    var generator = SplitMix64(seed: 47)
    let arithmetic = try arithmeticErrors(at: x)
    return trust.indices.map { row in
      let noise = generator.normal() / max(trust[row], .leastNormalMagnitude)
      return (trust[row] > 0 ? noise : 0) + (arithmetic.isEmpty ? 0 : arithmetic[row])
    }
  }

  /// What `body` makes of other observations: those that turn residuals into other ones.
  ///
  /// - Parameters:
  ///   - residuals: At some input.
  ///   - wanted: What they are at that input while `body` runs.
  ///   - body: Is done with the other observations.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  package func observing<Result>(
    _ residuals: [Double], as wanted: [Double], _ body: () throws(CascadeStop) -> Result
  ) throws(CascadeStop) -> Result {
    let kept = compared
    defer { compared = kept }
    for row in compared.target.indices {
      compared.target[row] += (residuals[row] - wanted[row]) / compared.targetWeights[row]
    }
    for (place, rows) in blocks.dropFirst().enumerated() {
      for (index, row) in rows.enumerated() {
        compared.observed[place][index] += (residuals[row] - wanted[row]) / compared.weights[place]
      }
    }
    return try body()
  }
}

// MARK: - Blocks

extension GradientResiduals {
  /// The rows of the features, then those of each observed tensor.
  private var blocks: [Range<Int>] {
    compared.observed.reduce(into: [0..<compared.target.count]) { blocks, elements in
      let start = blocks.last?.upperBound ?? 0
      blocks.append(start..<start + elements.count)
    }
  }

  /// For each row, what it shares its errors with.
  ///
  /// The features, each tensor of one axis, and each output channel of the others: a unit on the wrong
  /// side of its kink spoils its own channel.
  func groups(_ programs: LayerPrograms) -> [Int] {
    var result = compared.target.map { _ in 0 }
    var first = 1
    for (key, elements) in zip(compared.keys, compared.observed) {
      let shape = programs.parameters[key]?.value.type.shape ?? []
      let channels = shape.count > 1 ? shape.last ?? 1 : 1
      result += elements.indices.map { first + $0 % channels }
      first += channels
    }
    return result
  }

  /// For each row, the standard error of its tensor over its own.
  ///
  /// Half precision rounds each entry by a share of its size. Of a sparsified gradient, a zero tells no
  /// more than that the entry was smaller than those that were kept.
  func trust(_ sparsity: Sparsity?, in observation: Observation) -> [Double] {
    var result = Array(repeating: 1.0, count: compared.target.count)
    for (place, key) in compared.keys.enumerated() {
      let error = unit / compared.weights[place]
      let tensor = observation.gradient[key.node, key.role]
      let rounding = tensor?.resolution ?? .float64
      let noise = observation.noise ?? 0
      for element in compared.observed[place] {
        if let sparsity, element == 0 {
          result.append(error / max(error, sparsity.deviationOfDropped))
        } else if rounding.unitRoundoff > ElementKind.float32.unitRoundoff {
          let own = rounding.unitRoundoff * abs(element) * unit / 2
          let least = rounding.absoluteRoundoff / 2
          result.append(error / (own * own + least * least + noise * noise).squareRoot())
        } else {
          result.append(1)
        }
      }
    }
    return result
  }

  /// The standard error of the features over their size.
  var featureNoise: Double {
    let size = compared.target.rootMeanSquareOrZero
    let errors = compared.targetWeights.map { 1 / $0 }
    return size > 0 ? max(errors.rootMeanSquareOrZero / size, 1e-12) : 1
  }

  /// Length of the noise over that of the observed gradient.
  var noiseShare: Double {
    var (noise, total) = (0.0, 0.0)
    for (place, elements) in compared.observed.enumerated() {
      noise += Double(elements.count) / (compared.weights[place] * compared.weights[place])
      total += elements.reduce(0) { $0 + $1 * $1 }
    }
    return total > 0 ? (noise / total).squareRoot() : .infinity
  }

  /// Relative distance of the simulated gradient from the observed one, where an entry was observed.
  func relativeError(of residuals: [Double], _ sparsity: Sparsity?) -> Double {
    var (missed, total) = (0.0, 0.0)
    for (place, block) in blocks.dropFirst().enumerated() {
      for (row, element) in zip(block, compared.observed[place])
      where sparsity == nil || element != 0 {
        let gap = residuals[row] / compared.weights[place]
        missed += gap * gap
        total += element * element
      }
    }
    return total > 0 ? (missed / total).squareRoot() : .infinity
  }
}
