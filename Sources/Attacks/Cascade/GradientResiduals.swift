internal import LinearAlgebra
internal import Networks
internal import TensorIR
internal import Tensors

/// Every observed gradient below a dense layer, and that layer's known input, against what an input
/// would give; all divided by their standard errors.
///
/// The loss gradient behind the dense layer is given as it was observed, so neither the loss nor a
/// common factor of all gradients matters. `(∂g/∂x)ᵀ u` is the pushforward of `∇ₓ⟨z̄, z⟩` along `u` in the
/// parameters.
final class GradientResiduals: ResidualFunction {
  let walk: CascadeWalk
  private let precision: Precision
  private let keys: [ParameterTable.Key]
  private let observed: [[Double]]
  private let weights: [Double]
  private let features: KnownMap
  private let featureWeights: [Double]
  private var programs: [Direction: any CompiledProgram] = [:]
  private var point: [Double] = []
  private var isBound: Set<Direction> = []

  private enum Direction { case value, push, pull, columns }
  /// Columns of the Jacobian that are computed at once, and how large it may be written out.
  private static let (columns, jacobianLimit) = (32, 60_000_000)

  var count: Int { observed.reduce(features.values.count) { $0 + $1.count } }

  /// - Throws: ``CascadeStop`` if no gradient below the dense layer was observed.
  init(_ walk: CascadeWalk, in precision: Precision = .double) throws(CascadeStop) {
    self.walk = walk
    self.precision = precision
    var (keys, observed, weights) = ([ParameterTable.Key](), [[Double]](), [Double]())
    for key in walk.observation.gradient.keys
    where walk.nodes.contains(key.node) && key.node != walk.start && key.role.isTrainable {
      guard
        let elements = walk.programs.elements(key.node, key.role, of: walk.observation.gradient),
        elements.allSatisfy(\.isFinite)
      else { continue }
      let size = elements.rootMeanSquareOrZero
      let error = walk.observation.roundingError(key.node, key.role)
      guard size > 0 else { continue }
      keys.append(key)
      observed.append(elements)
      weights.append(1 / max(error, 1e-16 * size))
    }
    guard !keys.isEmpty, let source = walk.network.nodes[walk.start].sources.first,
      let features = walk.maps[source]
    else { throw CascadeStop("no gradient below the dense layer was observed") }
    self.keys = keys
    self.observed = observed
    self.weights = weights
    self.features = features
    let floor = 0x1p-53 * features.values.rootMeanSquareOrZero
    featureWeights = features.errors.map { 1 / max($0, floor, .leastNormalMagnitude) }
  }

  func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.value)
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    var result = program.elements(of: "features").indices.map { _ in 0.0 }
    let found = program.elements(of: "features")
    for index in result.indices {
      result[index] = (found[index] - features.values[index]) * featureWeights[index]
    }
    for (place, elements) in observed.enumerated() {
      let simulated = program.elements(of: "gradient/\(place)")
      let weight = weights[place]
      result += zip(simulated, elements).map { ($0 - $1) * weight }
    }
    return result
  }

  /// The relative distance of the simulated gradient from the observed one.
  func relativeError(at x: [Double]) throws(CascadeStop) -> Double {
    let program = try program(.value)
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    var (missed, total) = (0.0, 0.0)
    for (place, elements) in observed.enumerated() {
      for (simulated, seen) in zip(program.elements(of: "gradient/\(place)"), elements) {
        missed += (simulated - seen) * (simulated - seen)
        total += seen * seen
      }
    }
    return total > 0 ? (missed / total).squareRoot() : .infinity
  }

  func linearize(at x: [Double]) throws(CascadeStop) {
    point = x
    isBound = []
  }

  func push(_ direction: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.push)
    if isBound.insert(.push).inserted { program.bind(point, to: "cut/0") }
    program.bind(direction, to: "tangent")
    try Segment.run(program)
    var result = zip(program.elements(of: "features"), featureWeights).map { $0 * $1 }
    for place in observed.indices {
      let weight = weights[place]
      result += program.elements(of: "gradient/\(place)").map { $0 * weight }
    }
    return result
  }

  func pull(_ cotangent: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.pull)
    if isBound.insert(.pull).inserted { program.bind(point, to: "cut/0") }
    var offset = featureWeights.count
    program.bind(zip(cotangent, featureWeights).map { $0 * $1 }, to: "features-cotangent")
    for (place, elements) in observed.enumerated() {
      let weight = weights[place]
      program.bind(
        cotangent[offset..<offset + elements.count].map { $0 * weight },
        to: "direction/\(place)")
      offset += elements.count
    }
    try Segment.run(program)
    return program.elements(of: "slope")
  }
}

// MARK: - The Jacobian

extension GradientResiduals {
  func jacobian() throws(CascadeStop) -> DenseMatrix? {
    let unknowns = point.count
    guard unknowns <= 4_096, count <= Self.jacobianLimit / max(unknowns, 1) else { return nil }
    let program = try program(.columns)
    if isBound.insert(.columns).inserted { program.bind(point, to: "cut/0") }
    var elements: [Double] = []
    elements.reserveCapacity(count * unknowns)
    for first in stride(from: 0, to: unknowns, by: Self.columns) {
      var tangents = Array(repeating: 0.0, count: Self.columns * unknowns)
      for column in 0..<min(Self.columns, unknowns - first) {
        tangents[column * unknowns + first + column] = 1
      }
      program.bind(tangents, to: "tangent")
      try Segment.run(program)
      let features = program.elements(of: "features")
      let gradients = observed.indices.map { program.elements(of: "gradient/\($0)") }
      for column in 0..<min(Self.columns, unknowns - first) {
        let start = column * featureWeights.count
        for index in featureWeights.indices {
          elements.append(features[start + index] * featureWeights[index])
        }
        for (place, gradient) in gradients.enumerated() {
          let (length, weight) = (observed[place].count, weights[place])
          // What nothing moves, such as the gradient of a bias behind a ReLU, has no column of its own.
          let start = gradient.count == length ? 0 : column * length
          for index in 0..<length { elements.append(gradient[start + index] * weight) }
        }
      }
    }
    return DenseMatrix(rows: count, columns: unknowns, elements: elements)
  }
}

// MARK: - Programs

extension GradientResiduals {
  private func program(_ direction: Direction) throws(CascadeStop) -> any CompiledProgram {
    if let known = programs[direction] { return known }
    let parts = try walk.programs.graph(
      from: [.input(0)], to: [walk.start], givenAs: direction == .value ? .argument : .parameter)
    var graph = parts.graph
    let output = try Segment.result(of: parts, walk.start)
    let head = graph.input("head", output.type, .parameter)
    guard case .node(let before)? = walk.network.nodes[walk.start].sources.first else {
      throw CascadeStop("the dense layer reads the model input")
    }
    let features = try Segment.result(of: parts, before)
    let x = parts.inputs[0]
    let chosen = keys.compactMap { key in parts.parameters.first { $0.key == key } }
    switch direction {
    case .value:
      let gradients = graph.pullback(of: [(output, head)], to: chosen.map(\.value))
      graph.output("features", features)
      for (place, gradient) in gradients.enumerated() {
        graph.output("gradient/\(place)", gradient)
      }
    case .push, .columns:
      let gradients = graph.pullback(of: [(output, head)], to: chosen.map(\.value))
      let tangent = graph.input("tangent", x.type)
      let moved = graph.pushforward(of: [features] + gradients, along: [x: tangent])
      graph.output("features", moved[0] ?? graph.zero(features.type))
      for (place, gradient) in gradients.enumerated() {
        graph.output("gradient/\(place)", moved[place + 1] ?? graph.zero(gradient.type))
      }
    case .pull:
      let arriving = graph.input("features-cotangent", features.type)
      let slope = graph.pullback(of: [(output, head)], to: [x])[0]
      var directions: [Value: Value] = [:]
      for (place, parameter) in chosen.enumerated() {
        directions[parameter.value] = graph.input("direction/\(place)", parameter.value.type)
      }
      let mixed = graph.pushforward(of: slope, along: directions)
      let own = graph.pullback(of: [(features, arriving)], to: [x])[0]
      graph.output("slope", graph.apply(Add(), mixed, own))
    }
    if direction == .columns { graph = graph.batched(inputs: ["tangent"], extent: Self.columns) }
    let program = try walk.programs.compile(
      graph, parts.parameters, in: direction == .columns ? .single : precision)
    program.bind(walk.gradients[.node(walk.start)] ?? [], to: "head")
    programs[direction] = program
    return program
  }
}

// MARK: - Blocks

extension GradientResiduals {
  /// The rows of the features, then those of each observed tensor.
  var blocks: [Range<Int>] {
    observed.reduce(into: [0..<features.values.count]) { blocks, elements in
      let start = blocks.last?.upperBound ?? 0
      blocks.append(start..<start + elements.count)
    }
  }

  /// For each row, the standard error of its tensor over its own.
  ///
  /// Half precision rounds each entry by a share of its size. Of a sparsified gradient, a zero tells no
  /// more than that the entry was smaller than those that were kept.
  func trust(_ sparsity: Sparsity?) -> [Double] {
    var result = Array(repeating: 1.0, count: features.values.count)
    for (place, key) in keys.enumerated() {
      let error = 1 / weights[place]
      let tensor = walk.observation.gradient[key.node, key.role]
      let rounding = tensor?.resolution ?? .float64
      let noise = walk.observation.noise ?? 0
      for element in observed[place] {
        if let sparsity, element == 0 {
          result.append(error / max(error, sparsity.deviationOfDropped))
        } else if rounding.unitRoundoff > ElementKind.float32.unitRoundoff {
          let own = rounding.unitRoundoff * abs(element) / 2
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
    let size = features.values.rootMeanSquareOrZero
    return size > 0 ? max(features.errors.rootMeanSquareOrZero / size, 1e-12) : 1
  }

  /// Length of the noise over that of the observed gradient.
  var noiseShare: Double {
    var (noise, total) = (0.0, 0.0)
    for (place, elements) in observed.enumerated() {
      noise += Double(elements.count) / (weights[place] * weights[place])
      total += elements.reduce(0) { $0 + $1 * $1 }
    }
    return total > 0 ? (noise / total).squareRoot() : .infinity
  }

  /// Relative distance of the simulated gradient from the observed one, where an entry was observed.
  func relativeError(of residuals: [Double], _ sparsity: Sparsity?) -> Double {
    var (missed, total) = (0.0, 0.0)
    for (place, block) in blocks.dropFirst().enumerated() {
      for (row, element) in zip(block, observed[place]) where sparsity == nil || element != 0 {
        let gap = residuals[row] / weights[place]
        missed += gap * gap
        total += element * element
      }
    }
    return total > 0 ? (missed / total).squareRoot() : .infinity
  }
}
