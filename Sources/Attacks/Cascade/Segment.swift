internal import Networks
internal import TensorIR

/// A part of a network between given values and one result, run forwards and, around a point,
/// in both directions of its derivative.
///
/// What the derivative needs of the point is computed once, when it is linearised.
package final class Segment {
  private let forward: NetworkGraph
  private let linear: NetworkGraph
  private let target: Int
  private let programs: LayerPrograms
  private let precision: Precision
  private var forwardProgram: (any CompiledProgram)?
  private var pullProgram: (any CompiledProgram)?
  private var pushProgram: (any CompiledProgram)?
  private var point: [[Double]]?
  private var isPullBound = false
  private var isPushBound = false

  init(
    _ forward: NetworkGraph, _ linear: NetworkGraph, target: Int, programs: LayerPrograms,
    precision: Precision
  ) {
    self.forward = forward
    self.linear = linear
    self.target = target
    self.programs = programs
    self.precision = precision
  }

  /// The result for given values, one per cut.
  package func value(_ inputs: [[Double]]) throws(CascadeStop) -> [Double] {
    if forwardProgram == nil {
      var graph = forward.graph
      graph.output("value", try Self.result(of: forward, target))
      forwardProgram = try compile(graph, forward)
    }
    guard let program = forwardProgram else { return [] }
    bind(inputs, to: program)
    try Self.run(program)
    return program.elements(of: "value")
  }

  /// Chooses the point around which ``push(_:)`` and ``pull(_:)`` are taken.
  package func linearize(at inputs: [[Double]]) {
    point = inputs
    isPullBound = false
    isPushBound = false
  }

  /// `Jᵀ u`, one cotangent per cut.
  package func pull(_ cotangent: [Double]) throws(CascadeStop) -> [[Double]] {
    if pullProgram == nil {
      var graph = linear.graph
      let value = try Self.result(of: linear, target)
      let arriving = graph.input("cotangent", value.type)
      let leaving = graph.pullback(of: [(value, arriving)], to: linear.inputs)
      for (place, cotangent) in leaving.enumerated() {
        graph.output("slope/\(place)", cotangent)
      }
      pullProgram = try compile(graph, linear)
    }
    guard let program = pullProgram else { return [] }
    if !isPullBound { bindPoint(to: program) }
    isPullBound = true
    program.bind(cotangent, to: "cotangent")
    try Self.run(program)
    return linear.inputs.indices.map { program.elements(of: "slope/\($0)") }
  }

  /// `J v` for one tangent per cut.
  package func push(_ tangents: [[Double]]) throws(CascadeStop) -> [Double] {
    if pushProgram == nil {
      var graph = linear.graph
      let value = try Self.result(of: linear, target)
      var directions: [Value: Value] = [:]
      for (place, input) in linear.inputs.enumerated() {
        directions[input] = graph.input("tangent/\(place)", input.type)
      }
      graph.output("tangent", graph.pushforward(of: value, along: directions))
      pushProgram = try compile(graph, linear)
    }
    guard let program = pushProgram else { return [] }
    if !isPushBound { bindPoint(to: program) }
    isPushBound = true
    for (place, tangent) in tangents.enumerated() {
      program.bind(tangent, to: "tangent/\(place)")
    }
    try Self.run(program)
    return program.elements(of: "tangent")
  }

  /// Where the segment is linear in its cuts, the point does not matter.
  func linearizeAnywhere() {
    linearize(at: linear.inputs.map { Array(repeating: 0, count: $0.type.elementCount) })
  }

  private func bindPoint(to program: any CompiledProgram) {
    guard let point else { preconditionFailure("a segment is linearised before its derivative") }
    bind(point, to: program)
  }

  private func bind(_ inputs: [[Double]], to program: any CompiledProgram) {
    for (place, elements) in inputs.enumerated() { program.bind(elements, to: "cut/\(place)") }
  }

  private func compile(
    _ graph: Graph, _ parts: NetworkGraph
  ) throws(CascadeStop) -> any CompiledProgram {
    try programs.compile(graph, parts.parameters, in: precision)
  }

  static func result(of graph: NetworkGraph, _ target: Int) throws(CascadeStop) -> Value {
    guard let map = graph.featureMaps[target] else {
      throw CascadeStop("a layer is missing", at: target)
    }
    return map.value
  }

  static func run(_ program: any CompiledProgram) throws(CascadeStop) {
    do throws(BackendError) { try program.run() } catch { throw CascadeStop(error) }
  }
}
