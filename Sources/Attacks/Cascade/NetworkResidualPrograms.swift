package import LinearAlgebra
internal import Networks
internal import TensorIR

extension NetworkResiduals {
  /// Columns of the Jacobian that are computed at once, and how large it may be written out.
  private static let (columns, jacobianLimit) = (32, 60_000_000)

  /// Multiply-adds of one product with the Jacobian, about: what follows from the point alone is computed
  /// once.
  final func price() throws(CascadeStop) -> Double {
    Double(max(try graph(.push).graph.multiplyAdds / 2, 1))
  }

  package final func jacobian() throws(CascadeStop) -> DenseMatrix? {
    let unknowns = programs.count(of: .input(0))
    guard unknowns <= 4_096, count <= Self.jacobianLimit / max(unknowns, 1) else { return nil }
    let program = try linearized(Run(kind: .columns, precision: .single))
    var elements: [Double] = []
    elements.reserveCapacity(count * unknowns)
    for first in stride(from: 0, to: unknowns, by: Self.columns) {
      let columns = 0..<min(Self.columns, unknowns - first)
      var tangents = Array(repeating: 0.0, count: Self.columns * unknowns)
      for column in columns { tangents[column * unknowns + first + column] = 1 }
      program.bind(tangents, to: "tangent")
      try Segment.run(program)
      let features = program.elements(of: "features")
      let gradients = compared.keys.indices.map { program.elements(of: "gradient/\($0)") }
      for column in columns {
        let start = column * compared.target.count
        for (index, weight) in compared.targetWeights.enumerated() {
          elements.append(isOpen[index] ? features[start + index] * weight : 0)
        }
        for (place, gradient) in gradients.enumerated() {
          let (length, weight) = (compared.observed[place].count, compared.weights[place])
          // What nothing moves, such as the gradient of a bias behind a ReLU, has no column of its own.
          let start = gradient.count == length ? 0 : column * length
          for index in 0..<length { elements.append(gradient[start + index] * weight) }
        }
      }
    }
    return DenseMatrix(rows: count, columns: unknowns, elements: elements)
  }

  final func compile(_ run: Run) throws(CascadeStop) -> any CompiledProgram {
    let (graph, parameters) = try graph(run.kind)
    let program = try programs.compile(graph, parameters, in: run.precision)
    for (place, head) in compared.heads.enumerated() {
      program.bind(head.gradient, to: "head/\(place)")
    }
    if run.kind == .misfit { bindExpected(to: program) }
    return program
  }

  /// The graph of a program and the parameters that it needs.
  ///
  /// `(∂g/∂x)ᵀ u` for the gradient `g` of weights is the pushforward of `∇ₓ⟨z̄, z⟩` along `u` in these
  /// weights.
  private func graph(
    _ kind: Run.Kind
  ) throws(CascadeStop) -> (graph: Graph, parameters: [GraphParameter]) {
    let parts = try programs.graph(
      from: [.input(0)], to: compared.nodes + compared.heads.map(\.node),
      givenAs: kind == .value || kind == .misfit ? .argument : .parameter)
    var graph = parts.graph
    var maps: [Value] = []
    for node in compared.nodes {
      let map = try Segment.result(of: parts, node)
      maps.append(graph.apply(Reshape(to: [map.type.elementCount]), map))
    }
    let features = maps.count == 1 ? maps[0] : graph.apply(Concatenate(axis: 0), maps)
    var outputs: [(value: Value, cotangent: Value)] = []
    for (place, head) in compared.heads.enumerated() {
      let output = try Segment.result(of: parts, head.node)
      outputs.append((output, graph.input("head/\(place)", output.type, .parameter)))
    }
    var weights: [Value] = []
    for key in compared.keys {
      guard let weight = parts.parameters.first(where: { $0.key == key }) else {
        throw CascadeStop("a weight is missing", at: key.node)
      }
      weights.append(weight.value)
    }
    let x = parts.inputs[0]
    if kind == .pull {
      let arriving = graph.input("features-cotangent", features.type)
      let own = graph.pullback(of: [(features, arriving)], to: [x])[0]
      guard !outputs.isEmpty else {
        graph.output("slope", own)
        return (graph, parts.parameters)
      }
      let directions = weights.enumerated().map { place, weight in
        graph.input("direction/\(place)", weight.type)
      }
      guard isPaired else {
        let slope = graph.pullback(of: outputs, to: [x])[0]
        let along = Dictionary(uniqueKeysWithValues: zip(weights, directions))
        let mixed = graph.pushforward(of: slope, along: along)
        graph.output("slope", graph.apply(Add(), mixed, own))
        return (graph, parts.parameters)
      }
      // ⟨u, W̄⟩ is ⟨z̄, A(u) x⟩, so one way down serves all.
      let images = outputs.indices.map { place in
        let moved = graph.pushforward(
          of: outputs[place].value, along: [weights[place]: directions[place]])
        return (value: moved, cotangent: outputs[place].cotangent)
      }
      graph.output("slope", graph.pullback(of: [(features, arriving)] + images, to: [x])[0])
      return (graph, parts.parameters)
    }
    var results = [features]
    if isPaired {
      // Each below its own head alone: one may lie below another.
      for (output, weight) in zip(outputs, weights) {
        results += graph.pullback(of: [output], to: [weight])
      }
    } else {
      results += graph.pullback(of: outputs, to: weights)
    }
    if kind == .misfit {
      addMisfit(of: results, in: x, to: &graph)
      return (graph, parts.parameters)
    }
    if kind != .value {
      let tangent = graph.input("tangent", x.type)
      let moved = graph.pushforward(of: results, along: [x: tangent])
      results = zip(results, moved).map { $1 ?? graph.zero($0.type) }
    }
    graph.output("features", results[0])
    for (place, gradient) in results.dropFirst().enumerated() {
      graph.output("gradient/\(place)", gradient)
    }
    if kind == .columns { graph = graph.batched(inputs: ["tangent"], extent: Self.columns) }
    return (graph, parts.parameters)
  }

  /// Adds `‖r‖²` and its gradient as outputs.
  private func addMisfit(of results: [Value], in x: Value, to graph: inout Graph) {
    var parts: [(Value, Value)] = []
    for (place, result) in results.enumerated() {
      let expected = graph.input("expected/\(place)", result.type, .parameter)
      let weights = graph.input("weights/\(place)", result.type, .parameter)
      var gap = graph.apply(Subtract(), result, expected)
      if place == 0, compared.isInactive.contains(true) {
        // What is inactive must only not be above its value.
        gap = graph.apply(Maximum(), gap, graph.input("floor", result.type, .parameter))
      }
      let weighted = graph.apply(Multiply(), weights, gap)
      parts.append((weighted, weighted))
    }
    let misfit = graph.total(parts)
    graph.output("misfit", misfit)
    graph.output("slope", graph.gradient(of: misfit, in: [x])[0])
  }

  /// Binds what ``addMisfit(of:in:to:)`` compares with.
  private func bindExpected(to program: any CompiledProgram) {
    program.bind(compared.target, to: "expected/0")
    program.bind(compared.targetWeights, to: "weights/0")
    if compared.isInactive.contains(true) {
      // Below anything that a difference of maps can be.
      let least = -Double(Float.greatestFiniteMagnitude)
      program.bind(compared.isInactive.map { $0 ? 0 : least }, to: "floor")
    }
    for (place, observed) in compared.observed.enumerated() {
      program.bind(observed, to: "expected/\(place + 1)")
      program.bind(
        Array(repeating: compared.weights[place], count: observed.count),
        to: "weights/\(place + 1)")
    }
  }

  /// Whether every weight has a head of its own, rather than all of them the same.
  private var isPaired: Bool { compared.heads.count == compared.keys.count }
}
