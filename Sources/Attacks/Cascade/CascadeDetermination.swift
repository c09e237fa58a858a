internal import AuditModel
internal import Networks
internal import Tensors

extension CascadeWalk {
  /// Solves for the entries of a value, or records why they stay open.
  func determine(_ source: Network.Source, _ readers: [Int]) throws(CascadeStop) {
    let shape = programs.shape(of: source)
    guard let channels = shape.last, channels > 0 else {
      throw CascadeStop("\(name(source)) has no axes")
    }
    var solve = MapSolve(places: shape.dropLast().reduce(1, *), channels: channels)
    try addEquations(of: source, readers, to: &solve)
    if let direct = solve.direct, direct.isComplete, solve.gradients.isEmpty {
      var direct = direct
      unrestricted[source] = direct.values
      restrict(&direct, to: source)
      maps[source] = direct
      determined.append(source)
      return
    }
    let label = readers.first.map { network.nodes[$0].name } ?? "?"
    progress("solving for the input of \(label)")
    var solution = try solve.solve()
    let expected = expectedResidual(solve)
    if let residual = solution.residual, residual > max(1e-3, 30 * expected) {
      solution.isDetermined = false
      record(source, readers, solution, .stopped, "the equations contradict each other")
      throw CascadeStop(
        "the gradient equations for \(name(source)) miss by \(residual.displayed): a sign pattern "
          + "further up was not recovered, or the weights are not those of the gradient")
    }
    guard solution.isDetermined else {
      if try leapOverMean(source, readers) {
        record(
          source, readers, solution, .gradientOnly,
          "the active entries follow from the zero padding of the layer below")
        return
      }
      let open = solution.nullity
      openSource = source
      record(source, readers, solution, open > 0 ? .subspace : .stopped, "")
      throw CascadeStop(
        "\(name(source)) has \(solution.unknowns) entries and "
          + "\(solution.forwardEquations + solution.gradientEquations) equations, of which "
          + "\(solution.rank.map(String.init) ?? "fewer") are independent")
    }
    if let residual = solution.residual, expected > 0, residual > expected {
      // What was computed in single precision is less exact than its storage.
      let excess = residual / expected
      solution.map.errors = solution.map.errors.map { $0 * excess }
    }
    unrestricted[source] = solution.map.values
    restrict(&solution.map, to: source)
    maps[source] = solution.map
    determined.append(source)
    record(source, readers, solution, .exact, "")
  }

  private func addEquations(
    of source: Network.Source, _ readers: [Int], to solve: inout MapSolve
  ) throws(CascadeStop) {
    let shape = programs.shape(of: source)
    for reader in readers {
      guard
        let site = KernelSite(
          reader, of: network, input: shape, output: programs.shape(of: .node(reader)))
      else {
        if let known = try inferred(through: reader, source) {
          solve.direct = solve.direct.map { $0.merged(with: known) } ?? known
        }
        continue
      }
      if let outputGradient = gradients[.node(reader)],
        let weightGradient = programs.elements(reader, .weight, of: observation.gradient)
      {
        let size = weightGradient.rootMeanSquareOrZero
        let own = observation.roundingError(reader, .weight)
        let other = (gradientErrors[.node(reader)] ?? 0) * size
        solve.gradients.append(
          .init(
            site: site, outputGradient: outputGradient, weightGradient: weightGradient,
            error: max((own * own + other * other).squareRoot(), 1e-300)))
      }
      if let output = try inferred(.node(reader)), output.knownCount > 0,
        let weight = programs.elements(reader, .weight, of: observation.weights)
      {
        var known = output
        if let bias = programs.elements(reader, .bias, of: observation.weights) {
          for index in known.values.indices { known.values[index] -= bias[index % bias.count] }
        }
        solve.forwards.append(.init(site: site, weight: weight, output: known))
      }
    }
  }

  private func expectedResidual(_ solve: MapSolve) -> Double {
    var (noise, total) = (0.0, 0.0)
    for equations in solve.gradients {
      noise += equations.error * equations.error * Double(equations.weightGradient.count)
      total += equations.weightGradient.reduce(0) { $0 + $1 * $1 }
    }
    return total > 0 ? (noise / total).squareRoot() : 0
  }

  /// Brings entries into the range of the function whose output they are.
  private func restrict(_ map: inout KnownMap, to source: Network.Source) {
    guard case .node(let node) = source, case .elementwise(let function) = linearity(node) else {
      return
    }
    let largest = map.values.reduce(0) { max($0, abs($1)) }
    for index in map.values.indices {
      // Between noise and a value that is really there lie orders of magnitude, as a rule.
      let floor = max(8 * map.errors[index], 5e-7 * largest)
      let value = map.values[index]
      switch function {
      case .relu, .relu6: if value <= floor { map.values[index] = 0 }
      case .sigmoid: map.values[index] = min(max(value, 1e-12), 1 - 1e-12)
      case .tanh, .softsign: map.values[index] = min(max(value, 1e-12 - 1), 1 - 1e-12)
      case .softplus, .exponential: map.values[index] = max(value, 1e-12)
      case .elu(let alpha): map.values[index] = max(value, alpha * (1e-12 - 1))
      default: break
      }
    }
  }

  /// Records that a maximum was passed without its input being known.
  func recordLeap(_ source: Network.Source, _ pool: Int, unknowns: Int, equations: Int) {
    steps.append(
      ChainSummary.Step(
        layer: network.nodes[pool].name, kind: network.nodes[pool].layer.kind,
        route: "zero padding of the layer below", unknowns: unknowns, forwardEquations: 0,
        gradientEquations: equations, rank: nil, outcome: .gradientOnly,
        note: "which entries won is known, their values are not"))
  }

  private func record(
    _ source: Network.Source, _ readers: [Int], _ solution: MapSolution,
    _ outcome: ChainSummary.Outcome, _ note: String
  ) {
    let first = readers.first
    let size = solution.map.values.rootMeanSquareOrZero
    let error = solution.map.errors.rootMeanSquareOrZero
    let usesForward =
      solution.forwardEquations > 0 && solution.gradientEquations < solution.unknowns
    steps.append(
      ChainSummary.Step(
        layer: first.map { network.nodes[$0].name } ?? "",
        kind: first.map { network.nodes[$0].layer.kind } ?? "",
        route: solution.gradientEquations == 0
          ? "values behind it"
          : usesForward ? "weight gradient and values behind it" : "weight gradient",
        unknowns: solution.unknowns, forwardEquations: solution.forwardEquations,
        gradientEquations: solution.gradientEquations, rank: solution.rank,
        amplification: outcome == .exact ? solution.amplification : nil,
        residual: solution.residual,
        relativeError: outcome == .exact && size > 0 && error.isFinite ? error / size : nil,
        outcome: outcome, note: note))
  }
}

extension KnownMap {
  /// At each entry the better known of two.
  func merged(with other: KnownMap) -> KnownMap {
    var result = self
    for index in errors.indices where other.errors[index] < errors[index] {
      result.values[index] = other.values[index]
      result.errors[index] = other.errors[index]
    }
    return result
  }
}
