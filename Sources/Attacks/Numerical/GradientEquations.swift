internal import Networks
internal import TensorIR

/// Every entry of the observed gradient as an equation in the inputs of a batch with known labels, each
/// divided by its standard error.
///
/// `J v` is the pushforward of the gradients along inputs, `Jᵀ u` that of the input gradient along
/// parameters.
final class GradientEquations: ResidualFunction {
  private enum Run: Hashable { case value, push, pull }
  private struct Kind: Hashable {
    var run: Run
    var precision: Precision
  }

  private let programs: InversionPrograms
  private let backend: any Backend
  /// In graph order, one list per key.
  private let observed: [[Double]]
  /// What residuals of each tensor are multiplied with.
  private let weights: [Double]
  private let names: [String]
  private var compiled: [Kind: any CompiledProgram] = [:]
  private var isBound: Set<Kind> = []
  private var point: [Double] = []
  let count: Int

  /// - Throws: ``NotInvertible`` if the network is no graph.
  init(_ programs: InversionPrograms, on backend: any Backend) throws(NotInvertible) {
    self.programs = programs
    self.backend = backend
    let problem = programs.problem
    var (observed, weights, names): ([[Double]], [Double], [String]) = ([], [], [])
    do {
      let forward = try problem.network.graph(samples: 1, mode: problem.mode)
      for parameter in forward.trainable where problem.keys.contains(parameter.key) {
        let elements = try problem.network.elements(of: [parameter], from: problem.gradient)[0]
        let size = elements.rootMeanSquareOrZero
        let error = max(problem.rounding[parameter.key] ?? 0, 1e-12 * size)
        names.append(parameter.name)
        observed.append(elements)
        weights.append(error > 0 ? 1 / error : 0)
      }
    } catch {
      throw NotInvertible("\(error)")
    }
    (self.observed, self.weights, self.names) = (observed, weights, names)
    count = observed.reduce(0) { $0 + $1.count }
  }

  func residuals(at x: [Double]) throws(CascadeStop) -> [Double] {
    let program = try program(Kind(run: .value, precision: .double))
    program.bind(x, to: "input")
    try Segment.run(program)
    var result: [Double] = []
    result.reserveCapacity(count)
    for (place, observed) in observed.enumerated() {
      let simulated = program.elements(of: "gradient/\(names[place])")
      for index in observed.indices {
        result.append((simulated[index] - observed[index]) * weights[place])
      }
    }
    return result
  }

  /// `‖g − g*‖ / ‖g*‖` for residuals of this function.
  func relativeError(of residuals: [Double]) -> Double {
    var (missed, total, start) = (0.0, 0.0, 0)
    for (place, observed) in observed.enumerated() {
      for index in observed.indices {
        let gap = weights[place] > 0 ? residuals[start + index] / weights[place] : 0
        missed += gap * gap
        total += observed[index] * observed[index]
      }
      start += observed.count
    }
    return total > 0 ? (missed / total).squareRoot() : .infinity
  }

  func linearize(at x: [Double]) throws(CascadeStop) {
    point = x
    isBound = []
  }

  func push(_ direction: [Double], in precision: Precision) throws(CascadeStop) -> [Double] {
    let program = try linearized(Kind(run: .push, precision: precision))
    program.bind(direction, to: "tangent")
    try Segment.run(program)
    var result: [Double] = []
    result.reserveCapacity(count)
    for place in names.indices {
      for element in program.elements(of: "moved/\(place)") {
        result.append(element * weights[place])
      }
    }
    return result
  }

  func pull(_ cotangent: [Double], in precision: Precision) throws(CascadeStop) -> [Double] {
    let program = try linearized(Kind(run: .pull, precision: precision))
    var start = 0
    for (place, observed) in observed.enumerated() {
      let weight = weights[place]
      program.bind(
        (start..<start + observed.count).map { cotangent[$0] * weight }, to: "direction/\(place)")
      start += observed.count
    }
    try Segment.run(program)
    return program.elements(of: "slope")
  }

  /// Multiply-adds of one product, about.
  func price() throws(CascadeStop) -> Double { Double(max(try graph(.push).multiplyAdds, 1)) }

  private func linearized(_ kind: Kind) throws(CascadeStop) -> any CompiledProgram {
    let program = try program(kind)
    if isBound.insert(kind).inserted { program.bind(point, to: "input") }
    return program
  }

  private func program(_ kind: Kind) throws(CascadeStop) -> any CompiledProgram {
    if let known = compiled[kind] { return known }
    let graph = try graph(kind.run)
    do throws(NotInvertible) {
      let program = try programs.program(on: backend, kind.precision) { _ in graph }
      compiled[kind] = program
      return program
    } catch {
      throw CascadeStop(error.description)
    }
  }

  private func graph(_ run: Run) throws(CascadeStop) -> Graph {
    let problem = programs.problem
    var program: GradientGraph
    do throws(UnsupportedLayer) {
      program = try problem.network.gradientGraph(
        samples: problem.samples, loss: problem.loss, mode: problem.mode)
    } catch {
      throw CascadeStop(error)
    }
    if run == .value { return program.graph }
    let keys = Set(problem.keys)
    let x = program.inputs[0]
    if run == .push {
      let gradients = program.parameters.filter { keys.contains($0.key) }.map(\.gradient)
      let tangent = program.graph.input("tangent", x.type)
      let moved = program.graph.pushforward(of: gradients, along: [x: tangent])
      var graph = Graph(withoutOutputsOf: program.graph)
      for (place, gradient) in gradients.enumerated() {
        graph.output("moved/\(place)", moved[place] ?? graph.zero(gradient.type))
      }
      return graph
    }
    var place = 0
    let directions = program.parameters.map { parameter -> Value in
      guard keys.contains(parameter.key) else { return program.graph.zero(parameter.value.type) }
      defer { place += 1 }
      return program.graph.input("direction/\(place)", parameter.value.type)
    }
    let slope = program.mixedProduct(along: directions)[0]
    var graph = Graph(withoutOutputsOf: program.graph)
    graph.output("slope", slope)
    return graph
  }
}
