internal import Networks
internal import TensorIR
internal import Tensors

/// The deepest determined map, and the weight gradients of the layers just below it, against what a
/// model input would give.
///
/// The loss gradients at these layers are known, so everything is a function of forward passes alone:
/// where a ReLU was active, what enters it has to be equal; where it was not, what enters must not be
/// above zero; and `W̄ = G(z̄) x` holds for the map `x` that was left open. At first every block is divided
/// by its own size.
final class FrontierResiduals: ResidualFunction {
  private let walk: CascadeWalk
  private let precision: Precision
  /// The node whose output is compared.
  private let depth: Int
  private let target: [Double]
  private let isInactive: [Bool]
  /// What residuals are multiplied with: first those of the map, then those of the gradients.
  private var weights: [Double]
  /// Layers whose weight gradient is compared.
  private let readers: [Int]
  private let observed: [[Double]]
  /// Standard errors of the residuals before they are weighted.
  private let deviations: [Double]
  private var isOpen: [Bool] = []
  private var point: [Double] = []
  private var programs: [Direction: any CompiledProgram] = [:]
  private var isBound: Set<Direction> = []

  private enum Direction { case value, push, pull }

  var count: Int { observed.reduce(target.count) { $0 + $1.count } }
  /// Residuals that have to vanish, whatever the sign.
  var equalities: Int { observed.reduce(isInactive.count { !$0 }) { $0 + $1.count } }
  /// Standard errors of the residuals.
  var errors: [Double] { zip(deviations, weights).map { $0 * $1 } }

  /// - Throws: ``CascadeStop`` if nothing leads from the input to the map.
  init(
    _ source: Network.Source, _ map: KnownMap, walk: CascadeWalk, usesGradients: Bool,
    in precision: Precision = .double
  ) throws(CascadeStop) {
    guard case .node(let node) = source else {
      throw CascadeStop("the map is the model input")
    }
    self.walk = walk
    self.precision = precision
    var (target, inactive) = (map.values, map.values.map { _ in false })
    var errors = map.errors
    var depth = node
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
        if function == .relu { inactive = map.values.map { $0 <= 0 } }
      }
    }
    self.depth = depth
    self.target = target
    isInactive = inactive
    let size = target.rootMeanSquareOrZero
    var weights = Array(repeating: size > 0 ? 1 / size : 1, count: target.count)
    var (readers, observed) = ([Int](), [[Double]]())
    if usesGradients, let open = walk.openSource {
      for reader in walk.readers(of: open) where walk.gradients[.node(reader)] != nil {
        guard
          KernelSite(
            reader, of: walk.network, input: walk.programs.shape(of: open),
            output: walk.programs.shape(of: .node(reader))) != nil,
          let gradient = walk.programs.elements(reader, .weight, of: walk.observation.gradient)
        else { continue }
        let size = gradient.rootMeanSquareOrZero
        guard size > 0 else { continue }
        readers.append(reader)
        observed.append(gradient)
        let own = walk.observation.roundingError(reader, .weight)
        let other = (walk.gradientErrors[.node(reader)] ?? 0) * size
        errors += Array(
          repeating: (own * own + other * other).squareRoot(), count: gradient.count)
        weights += Array(repeating: 1 / size, count: gradient.count)
      }
    }
    deviations = errors
    self.readers = readers
    self.observed = observed
    self.weights = weights
  }

  /// Divides every residual by its standard error from now on.
  ///
  /// Far from the solution equal weights converge better; near it these are the right ones.
  func weighByErrors() {
    let floor = 1e-12 * target.rootMeanSquareOrZero
    weights = deviations.map { 1 / max($0, floor, .leastNormalMagnitude) }
  }

  /// Multiply-adds of one product, about.
  func price() throws(CascadeStop) -> Double {
    let parts = try walk.programs.graph(
      from: [.input(0)], to: [depth] + readers, givenAs: .argument)
    return 2 * Double(max(parts.graph.multiplyAdds, 1))
  }

  func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.value)
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    let values = program.elements(of: "features")
    var result = values.indices.map {
      weights[$0] * (isInactive[$0] ? max(values[$0], 0) : values[$0] - target[$0])
    }
    for (place, elements) in observed.enumerated() {
      let found = program.elements(of: "gradient/\(place)")
      for index in elements.indices {
        result.append((found[index] - elements[index]) * weights[result.count])
      }
    }
    return result
  }

  func linearize(at x: [Double]) throws(CascadeStop) {
    let program = try program(.value)
    program.bind(x, to: "cut/0")
    try Segment.run(program)
    let values = program.elements(of: "features")
    isOpen = values.indices.map { !isInactive[$0] || values[$0] > 0 }
    point = x
    isBound = []
  }

  func push(_ direction: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.push)
    if isBound.insert(.push).inserted { program.bind(point, to: "cut/0") }
    program.bind(direction, to: "tangent")
    try Segment.run(program)
    let moved = program.elements(of: "features")
    var result = moved.indices.map { isOpen[$0] ? weights[$0] * moved[$0] : 0 }
    for place in observed.indices {
      for value in program.elements(of: "gradient/\(place)") {
        result.append(value * weights[result.count])
      }
    }
    return result
  }

  func pull(_ cotangent: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(.pull)
    if isBound.insert(.pull).inserted { program.bind(point, to: "cut/0") }
    program.bind(
      target.indices.map { isOpen[$0] ? weights[$0] * cotangent[$0] : 0 },
      to: "features-cotangent")
    var offset = target.count
    for (place, elements) in observed.enumerated() {
      program.bind(
        (offset..<offset + elements.count).map { cotangent[$0] * weights[$0] },
        to: "cotangent/\(place)")
      offset += elements.count
    }
    try Segment.run(program)
    return program.elements(of: "slope")
  }

  private func program(_ direction: Direction) throws(CascadeStop) -> any CompiledProgram {
    if let known = programs[direction] { return known }
    let parts = try walk.programs.graph(
      from: [.input(0)], to: [depth] + readers,
      givenAs: direction == .value ? .argument : .parameter)
    var graph = parts.graph
    let features = try Segment.result(of: parts, depth)
    var gradients: [Value] = []
    for (place, reader) in readers.enumerated() {
      let output = try Segment.result(of: parts, reader)
      let head = graph.input("head/\(place)", output.type, .parameter)
      let key = ParameterTable.Key(node: reader, role: .weight)
      guard let weight = parts.parameters.first(where: { $0.key == key }) else {
        throw CascadeStop("a weight is missing", at: reader)
      }
      gradients += graph.pullback(of: [(output, head)], to: [weight.value])
    }
    let x = parts.inputs[0]
    switch direction {
    case .value:
      graph.output("features", features)
      for (place, gradient) in gradients.enumerated() {
        graph.output("gradient/\(place)", gradient)
      }
    case .push:
      let tangent = graph.input("tangent", x.type)
      let moved = graph.pushforward(of: [features] + gradients, along: [x: tangent])
      graph.output("features", moved[0] ?? graph.zero(features.type))
      for (place, gradient) in gradients.enumerated() {
        graph.output("gradient/\(place)", moved[place + 1] ?? graph.zero(gradient.type))
      }
    case .pull:
      var results = [(value: features, cotangent: graph.input("features-cotangent", features.type))]
      for (place, gradient) in gradients.enumerated() {
        results.append((gradient, graph.input("cotangent/\(place)", gradient.type)))
      }
      graph.output("slope", graph.pullback(of: results, to: [x])[0])
    }
    let program = try walk.programs.compile(graph, parts.parameters, in: precision)
    for (place, reader) in readers.enumerated() {
      program.bind(walk.gradients[.node(reader)] ?? [], to: "head/\(place)")
    }
    programs[direction] = program
    return program
  }
}
