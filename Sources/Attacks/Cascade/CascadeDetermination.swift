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
      let isOpen = solution.nullity > 0
      do throws(CascadeStop) {
        if let origin = try leapOverMean(source, readers) {
          record(source, readers, solution, .gradientOnly, origin)
          return
        }
      } catch {
        record(source, readers, solution, isOpen ? .subspace : .stopped, "")
        throw error
      }
      openSource = source
      record(source, readers, solution, isOpen ? .subspace : .stopped, "")
      throw CascadeStop(
        "\(name(source)) has \(solution.unknowns) entries and "
          + "\(solution.forwardEquations + solution.gradientEquations) equations, of which "
          + "\(solution.rank.map(String.init) ?? "fewer") are independent"
          + (leftOut.isEmpty
            ? "" : "; weight gradients of zeros, NaN or infinity were left out"))
    }
    if let residual = solution.residual, expected > 0, residual > expected {
      // What was computed in single precision is less exact than its storage.
      let excess = residual / expected
      solution.map.errors = solution.map.errors.map { $0 * excess }
    }
    if case .node(let node) = source, case .elementwise(.relu) = linearity(node) {
      solution.map.widenErrors(byZerosOf: channels)
    }
    let size = solution.map.values.rootMeanSquareOrZero
    // The size holds the error too, so an error of its size would not show.
    guard solution.map.errors.rootMeanSquareOrZero <= max(0.3 * size, .leastNormalMagnitude) else {
      record(source, readers, solution, .stopped, "its error is of the order of its size")
      throw CascadeStop(
        "the equations for \(name(source)) amplify errors to the size of its entries")
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
    let sites = try sites(reading: source)
    for reader in readers where !sites.contains(where: { $0.node == reader }) {
      guard let known = try inferred(through: reader, source) else { continue }
      solve.direct = solve.direct.map { $0.merged(with: known) } ?? known
    }
    for site in sites { try addEquations(at: site, to: &solve) }
  }

  /// The kernels that read a map, or what layers in between copy of it.
  private func sites(reading source: Network.Source) throws(CascadeStop) -> [KernelSite] {
    let shape = programs.shape(of: source)
    // Numbered entries show where a copy comes from; 0 is none.
    var copies = [source: (1...programs.count(of: source)).map(Double.init)]
    var sites: [KernelSite] = []
    for node in nodes.sorted() {
      let sources = network.nodes[node].distinctSources
      let read = sources.compactMap { copies[$0] }
      guard read.count == sources.count, let before = sources.first else { continue }
      if let site = KernelSite(
        node, of: network, input: programs.shape(of: before),
        output: programs.shape(of: .node(node)))
      {
        guard before != source else {
          sites.append(site)
          continue
        }
        guard let origins = Self.origins(read[0], channels: shape.last ?? 0) else { continue }
        sites.append(site.reading(shape.dropLast(), from: origins))
      } else if case .rearrangement = linearity(node),
        programs.shape(of: .node(node)).last == shape.last
      {
        copies[.node(node)] = try layer(node).value(read)
      }
    }
    return sites
  }

  /// The places that a layer copied, one per place of its result, −1 where it set zeros.
  ///
  /// - Returns: `nil` if it did anything else than to copy places.
  private static func origins(_ entries: [Double], channels: Int) -> [Int]? {
    var origins: [Int] = []
    for start in stride(from: 0, to: entries.count, by: channels) {
      let first = Int(entries[start])
      let isCopied = (0..<channels).allSatisfy {
        Int(entries[start + $0]) == (first == 0 ? 0 : first + $0)
      }
      guard isCopied, first == 0 || first % channels == 1 % channels else { return nil }
      origins.append(first == 0 ? -1 : (first - 1) / channels)
    }
    return origins
  }

  private func addEquations(
    at site: KernelSite, to solve: inout MapSolve
  ) throws(CascadeStop) {
    let reader = site.node
    let weightGradient = programs.elements(reader, .weight, of: observation.gradient)
    if let weightGradient,
      !weightGradient.allSatisfy(\.isFinite) || weightGradient.allSatisfy({ $0 == 0 })
    {
      leftOut.insert(reader)
    } else if let weightGradient, let outputGradient = gradients[.node(reader)] {
      let size = weightGradient.rootMeanSquareOrZero
      let own = observation.roundingError(reader, .weight)
      let other = (gradientErrors[.node(reader)] ?? 0) * size
      solve.gradients.append(
        .init(
          site: site,
          outputGradient: withoutSuspects(outputGradient, at: reader, outputs: site.outputs),
          weightGradient: withoutSuspects(weightGradient, at: reader, outputs: site.outputs),
          error: max((own * own + other * other).squareRoot(), 1e-300)))
    }
    if let output = try inferred(.node(reader)), output.knownCount > 0,
      let weight = programs.elements(reader, .weight, of: observation.weights)
    {
      var known = output
      if let bias = programs.elements(reader, .bias, of: observation.weights) {
        for index in known.values.indices { known.values[index] -= bias[index % bias.count] }
      }
      if let suspicion, suspicion.concerns(reader) {
        for index in known.errors.indices
        where suspicion.channels.contains(index % site.outputs) {
          known.errors[index] = .infinity
        }
      }
      solve.forwards.append(.init(site: site, weight: weight, output: known))
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
      let floor = SignPattern.zeroFloor(error: map.errors[index], largest: largest)
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
  func recordLeap(_ pool: Int, route: String, unknowns: Int, equations: Int) {
    steps.append(
      ChainSummary.Step(
        layer: network.nodes[pool].name, kind: network.nodes[pool].layer.kind,
        route: route, unknowns: unknowns, forwardEquations: 0, gradientEquations: equations,
        rank: nil, outcome: .gradientOnly,
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
