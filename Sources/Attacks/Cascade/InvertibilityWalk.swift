internal import AuditModel
internal import Networks

/// The walk over the maps of a simulated sample, from the output down.
///
/// Every verdict holds if the maps above are known. Until the chain ends they are; from there on
/// they are taken to be, and each step says so.
final class InvertibilityWalk {
  let simulation: InvertibilitySimulation
  let inference: InvertibilityInference
  let progress: (String) -> Void
  var steps: [ChainSummary.Step] = []
  private(set) var stop: String?
  private(set) var reachesInput = false
  /// Multiply-adds left for ranks: some minutes at most, whatever a file asks for.
  private var budget = 4e12
  /// The deepest determined map of the unbroken chain.
  private var deepest: Network.Source?

  var network: Network { simulation.network }
  var programs: LayerPrograms { simulation.programs }
  var isBroken: Bool { stop != nil }

  init(_ simulation: InvertibilitySimulation, _ progress: @escaping (String) -> Void) {
    self.simulation = simulation
    self.progress = progress
    inference = InvertibilityInference(simulation)
  }

  func run() throws(CascadeStop) {
    for node in simulation.start.nodes.sorted().reversed() where node != simulation.start.node {
      try visit(.node(node))
    }
    try visit(.input(0))
    reachesInput = !isBroken && inference.isComplete(.input(0))
  }

  /// Ends the chain, unless it has ended further up.
  func end(_ reason: String) {
    if stop == nil { stop = reason }
  }

  func name(_ source: Network.Source) -> String {
    switch source {
    case .node(let node): "the output of '\(network.nodes[node].name)'"
    case .input: "the model input"
    }
  }

  func linearity(_ node: Int) -> LayerLinearity { LayerLinearity(network.nodes[node].layer) }

  private func visit(_ source: Network.Source) throws(CascadeStop) {
    let all = inference.readers(of: source)
    let readers = all.filter(simulation.start.nodes.contains)
    guard let first = readers.first else { return }
    if let outsider = all.first(where: { !simulation.start.nodes.contains($0) }) {
      end(
        "\(name(source)) is also read by '\(network.nodes[outsider].name)', whose gradient is not "
          + "known")
    }
    for reader in readers where !simulation.isKernel(reader) { checkPassage(source, reader) }
    let kernels = readers.filter(simulation.isKernel)
    let isMaximum = readers.contains { if case .maximum = linearity($0) { true } else { false } }
    let isNeeded = needsValue(source)
    if !kernels.isEmpty {
      try determine(source, kernels, isNeeded: isNeeded)
    } else if isNeeded || isMaximum, !inference.isComplete(source),
      try inference.entries(source)?.allSatisfy({ $0 }) != true
    {
      try leap(source, first)
    } else if isNeeded {
      settle(source)
    }
    if isBroken, isNeeded || isMaximum || !kernels.isEmpty { inference.insert(source) }
  }

  /// Whether the layer below needs the entries themselves.
  private func needsValue(_ source: Network.Source) -> Bool {
    guard case .node(let node) = source else { return true }
    if case .elementwise = linearity(node) { return true }
    return false
  }

  /// Marks a map as determined.
  private func settle(_ source: Network.Source) {
    inference.insert(source)
    if !isBroken { deepest = source }
  }

  /// Whether the loss gradient passes a layer whose output is known.
  private func checkPassage(_ source: Network.Source, _ reader: Int) {
    switch linearity(reader) {
    case .elementwise(let function):
      let outputs = simulation.values[.node(reader)] ?? []
      let ambiguous = outputs.count { function.slope(knownOutput: $0) == nil }
      guard ambiguous > 0 else { return }
      let note =
        "\(DisplayedNumber.grouped(ambiguous)) of \(DisplayedNumber.grouped(outputs.count)) outputs "
        + "of \(function.name) have two possible inputs"
      record(source, [reader], route: "values behind it", .stopped, note: note)
      end("\(note) at '\(network.nodes[reader].name)'")
    case .unknown:
      let detail = network.nodes[reader].layer.detail ?? network.nodes[reader].layer.kind
      let note = "no closed form leads through '\(network.nodes[reader].name)' (\(detail))"
      record(source, [reader], route: "values behind it", .stopped, note: note)
      end(note)
    default: return
    }
  }
}

// MARK: - One map

extension InvertibilityWalk {
  private func determine(
    _ source: Network.Source, _ readers: [Int], isNeeded: Bool
  ) throws(CascadeStop) {
    progress("ranking the equations for the input of \(network.nodes[readers[0]].name)")
    let equations = try InvertibilityEquations(source, readers, simulation, inference)
    let result = try equations.rank(budget: &budget)
    let outcome: ChainSummary.Outcome =
      result.isExact ? .exact : result.isOpen ? .subspace : .stopped
    var notes = result.notes
    if outcome != .exact, !isNeeded, !isBroken { notes.append("the chain goes on without it") }
    record(
      source, readers,
      route: equations.gradientEquations == 0
        ? "values behind it"
        : result.usesForward ? "weight gradient and values behind it" : "weight gradient",
      outcome, forward: equations.forwardEquations, gradient: equations.gradientEquations,
      rank: result.rank, amplification: result.isExact ? result.amplification : nil,
      note: notes.joined(separator: "; "))
    if result.isExact {
      settle(source)
    } else if isNeeded {
      let unknowns = programs.count(of: source)
      let count = equations.forwardEquations + equations.gradientEquations
      end(
        "\(name(source)) has \(DisplayedNumber.counted(unknowns, "entry", plural: "entries")) and "
          + DisplayedNumber.counted(count, "equation")
          + (result.rank.map { ", of which \(DisplayedNumber.grouped($0)) are independent" }
            ?? ", more than a closed form solves at once"))
    }
  }

  /// A map of which only a pooling knows.
  private func leap(_ source: Network.Source, _ reader: Int) throws(CascadeStop) {
    let pool = network.nodes[reader]
    var obstacle = "no closed form leads through '\(pool.name)' (\(pool.layer.kind))"
    guard pool.layer is Pooling else {
      record(source, [reader], route: "values behind it", .stopped, note: obstacle)
      end(obstacle)
      return
    }
    let leap = try InvertibilityLeap(source, into: reader, simulation)
    let below = leap.node.map { network.nodes[$0].name }
    guard let reason = leap.obstacle else {
      record(
        source, [reader], route: leap.route, .gradientOnly, gradient: leap.equations,
        note: "by the \(leap.route) over the weight gradient of '\(below ?? "")': \(leap.finding)")
      return
    }
    obstacle =
      "the \(leap.route) does not lead through '\(pool.name)'"
      + (below.map { " over '\($0)'" } ?? "") + ": \(reason)"
    record(
      source, [reader], route: leap.route, .stopped, gradient: leap.equations, note: obstacle)
    end(obstacle)
  }

  private func record(
    _ source: Network.Source, _ readers: [Int], route: String, _ outcome: ChainSummary.Outcome,
    forward: Int = 0, gradient: Int = 0, rank: Int? = nil, amplification: Double? = nil,
    note: String = ""
  ) {
    let node = network.nodes[readers[0]]
    let condition = isBroken ? "if the maps above were known" : ""
    let step = ChainSummary.Step(
      layer: node.name, kind: node.layer.kind, route: route,
      unknowns: programs.count(of: source), forwardEquations: forward,
      gradientEquations: gradient, rank: rank, amplification: amplification, outcome: outcome,
      note: [condition, note].filter { !$0.isEmpty }.joined(separator: "; "))
    steps.append(step)
    progress(
      "input of \(step.layer): \(DisplayedNumber.counted(step.unknowns, "unknown")), "
        + "rank \(rank.map(DisplayedNumber.grouped) ?? "not computed"): \(outcome.rawValue)"
        + (step.note.isEmpty ? "" : " (\(step.note))"))
  }
}

// MARK: - In words

extension InvertibilityWalk {
  /// What least squares from the deepest determined map has to work with.
  var outlook: String? {
    guard !reachesInput else { return nil }
    let inputs = DisplayedNumber.grouped(programs.count(of: .input(0)))
    guard let deepest else {
      return "the model input has \(inputs) values, and no map is determined: there is nothing to "
        + "start least squares from"
    }
    var equations = programs.count(of: deepest)
    if case .node(let node) = deepest, case .elementwise(let function) = linearity(node),
      let values = simulation.values[deepest]
    {
      equations = values.count { function.inverse($0) != nil }
    }
    let fits = equations >= programs.count(of: .input(0))
    return "the model input has \(inputs) values; the deepest determined map, \(name(deepest)), "
      + "gives \(DisplayedNumber.grouped(equations)) equations: least squares from there "
      + (fits ? "is expected to reach it" : "needs the gradients further down as well")
  }

  /// What the analysis takes for granted where no dense layer discloses the loss gradient.
  var startWithoutDense: String {
    let name = network.nodes[simulation.start.node].name
    return "the network has no dense layer: the analysis starts at its output '\(name)', whose "
      + "loss gradient is taken as known"
  }
}
