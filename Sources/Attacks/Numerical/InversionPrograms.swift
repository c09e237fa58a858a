internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// The programs of one problem.
struct InversionPrograms: Sendable {
  let problem: InversionProblem
  /// An output that closed forms determined, for one sample.
  var features: (node: Int, values: [Double])?

  /// The matching that settings ask for.
  func matching(_ settings: InversionSettings) -> GradientMatching {
    var matching = GradientMatching()
    matching.distance = settings.distance
    matching.totalVariation = settings.totalVariation
    matching.isChannelsFirst = problem.network.isChannelsFirst
    matching.step.isSigned = settings.optimizer == .signedAdam
    matching.box = problem.box
    matching.compared = Set(problem.keys)
    matching.features = features.map { ($0.node, scale(of: settings.distance)) }
    return matching
  }

  /// What a distance is about where the simulated gradient is another.
  private func scale(of distance: InversionSettings.Distance) -> Double {
    guard distance == .squared else { return 1 }
    return problem.keys.reduce(0) { sum, key in
      let norm = problem.gradient.tensors[key]?.summary().norm ?? 0
      return sum + norm * norm
    }
  }

  /// A search that settings ask for, on one restart at a time.
  func search(
    _ settings: InversionSettings, on backend: any Backend
  ) throws(NotInvertible) -> any RestartSearch {
    if problem.steps == nil, !settings.optimizer.searchesLines, problem.labels != nil {
      return GradientSearch(try iteration(settings, on: backend))
    }
    let function = try objective(settings, on: backend)
    return switch settings.optimizer {
    case .lbfgs: LBFGSSearch(function)
    case .spectralLBFGS: LBFGSSearch(function, preconditioner: preconditioner)
    case .adam, .signedAdam:
      ObjectiveSearch(function, settings, box: problem.box, shape: problem.shape)
    }
  }

  private var preconditioner: PicturePreconditioner {
    PicturePreconditioner(
      shape: Array(problem.shape.dropFirst()), isChannelsFirst: problem.network.isChannelsFirst,
      samples: problem.samples, exponent: 1)
  }

  /// What settings minimise, as a function of inputs and, where they are sought, labels.
  func objective(
    _ settings: InversionSettings, on backend: any Backend
  ) throws(NotInvertible) -> any MatchingObjective {
    if let steps = problem.steps {
      guard let labels = problem.labels else {
        throw NotInvertible(
          "labels cannot be sought where a client took several steps; they are needed. State them "
            + "with --labels")
      }
      guard problem.mode == .inference else {
        throw NotInvertible(
          "the client took several steps in training mode, in which statistics of batches move; only "
            + "stored statistics are followed")
      }
      return try FederatedObjective(
        network: problem.network, weights: problem.weights, observed: problem.gradient,
        keys: Set(problem.keys), labels: labels, plan: steps, distance: settings.distance,
        totalVariation: settings.totalVariation, loss: problem.loss, backend: backend,
        precision: settings.precision.value)
    }
    return GradientObjective(
      try program(on: backend, settings.precision.value) { network throws(UnsupportedLayer) in
        try matching(settings).evaluation(
          of: network, samples: problem.samples, loss: problem.loss, mode: problem.mode)
      }, problem)
  }

  private func iteration(
    _ settings: InversionSettings, on backend: any Backend
  ) throws(NotInvertible) -> any CompiledProgram {
    try program(on: backend, settings.precision.value) { network throws(UnsupportedLayer) in
      try matching(settings).iteration(
        of: network, samples: problem.samples, loss: problem.loss, mode: problem.mode)
    }
  }

  /// Multiply-adds of one gradient.
  ///
  /// - Throws: ``NotInvertible`` if the network is no graph.
  func multiplyAdds() throws(NotInvertible) -> Int {
    do throws(UnsupportedLayer) {
      return try problem.network.gradientGraph(
        samples: problem.samples, loss: problem.loss, mode: problem.mode
      ).graph.multiplyAdds
    } catch {
      throw NotInvertible(error.description)
    }
  }

  /// `‖c·g − g*‖ / ‖g*‖` of simulated gradients, with the factor `c` that fits best, in double
  /// precision.
  func gradientMatch(
    at point: [Double], on backend: any Backend
  ) throws(NotInvertible) -> Double {
    var settings = InversionSettings(.invertingGradients)
    (settings.totalVariation, settings.precision) = (0, .double)
    let function = try InversionPrograms(problem: problem).objective(settings, on: backend)
    do throws(BackendError) {
      let distance = try function.evaluate(at: point).objective
      let cosine = 1 - distance
      // Against 1 − cos², this keeps the digits of small distances.
      return cosine > 0 ? (max(distance, 0) * (1 + cosine)).squareRoot() : 1
    } catch {
      throw NotInvertible(error.description)
    }
  }

  /// Compiles a graph and binds weights, observed gradients and labels.
  func program(
    on backend: any Backend, _ precision: Precision,
    _ build: (Network) throws(UnsupportedLayer) -> Graph
  ) throws(NotInvertible) -> any CompiledProgram {
    let (forward, graph): (NetworkGraph, Graph)
    do throws(UnsupportedLayer) {
      forward = try problem.network.graph(samples: 1, mode: problem.mode)
      graph = try build(problem.network)
    } catch {
      throw NotInvertible(error.description)
    }
    let program: any CompiledProgram
    do throws(BackendError) {
      program = try backend.compile(graph, in: precision)
    } catch {
      throw NotInvertible(error.description)
    }
    do throws(ParameterMismatch) {
      for parameter in forward.parameters where graph.input(named: parameter.name) != nil {
        program.bind(
          try problem.network.elements(of: [parameter], from: problem.weights)[0],
          to: parameter.name)
        let observed = GradientMatching.Name.observed(parameter.name)
        guard graph.input(named: observed) != nil else { continue }
        program.bind(
          try problem.network.elements(of: [parameter], from: problem.gradient)[0], to: observed)
      }
    } catch {
      throw NotInvertible(error.description)
    }
    if let features, graph.input(named: GradientMatching.Name.features) != nil {
      program.bind(features.values, to: GradientMatching.Name.features)
    }
    if let labels = problem.labels {
      program.bind(problem.targets(labels), to: GradientMatching.Name.target)
    }
    return program
  }
}

extension InversionSettings.Precision {
  var value: Precision { self == .single ? .single : .double }
}
