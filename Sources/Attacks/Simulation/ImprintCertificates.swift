internal import AuditModel
internal import Networks
internal import TensorIR
internal import Tensors

/// Decides which candidates of an imprint ladder are samples and which are mixtures.
///
/// A sample alone between two thresholds causes the whole difference of the two bias gradients. What it
/// causes follows from the network: with the logits `z` and their slope `∂z/∂bₖ` at the candidate,
/// `dᵢ = s Σ_c (p_c − [c = y]) ∂z_c/∂bₖ` for some label `y`, where `s` is 1 over the batch for a mean. A
/// mixture has the mean of the gradients of its samples instead, which is none of these numbers: each
/// label makes it agree with a chance of about twice the tolerance.
///
/// - Exact when: softmax cross-entropy with hard labels, batch normalisation by stored statistics.
enum ImprintCertificates {
  private static let tolerance = 1e-4

  static func certify(
    _ knowledge: inout Knowledge, on observation: Observation, backend: any Backend
  ) {
    let candidates = knowledge.recoveries.values.filter {
      $0.method == ImprintBins.metadata.identifier && !$0.isProven
    }.sorted { $0.node < $1.node }
    for recovery in candidates {
      guard observation.source == .gradient, observation.separatesSamples,
        let batch = observation.batchSize, let classifier = observation.classifier,
        let map = observation.affineFromInput(to: recovery.node),
        let ladder = ImprintLadder(recovery.node, observation),
        let bias = observation.gradient.bias(recovery.node),
        let slopes = LogitSlopes(recovery.node, classifier, observation, backend)
      else { continue }
      let share = observation.reduction == .sum ? 1 : 1 / Double(batch)
      let size = bias.map(abs).max() ?? 0
      let unit = observation.gradient[recovery.node, .bias]?.resolution.unitRoundoff ?? 0
      // Two rounded sums are subtracted; single precision adds a few roundings on the way.
      let rounding = 4 * (unit * size + observation.roundingError(recovery.node, .bias))
      var kept = recovery
      (kept.samples, kept.units, kept.labels, kept.certificates) = ([], [], [], [])
      for index in recovery.samples.indices {
        guard let place = ladder.units.firstIndex(of: recovery.units[index][0]) else { continue }
        let own = ladder.units[place]
        var observed = bias[own]
        if place + 1 < ladder.units.count {
          observed -=
            bias[ladder.units[place + 1]] * ladder.factors[place] / ladder.factors[place + 1]
        }
        let input = recovery.samples[index].map { ($0 - map.offset) / map.scale }
        guard let (logits, slope) = slopes.at(input, unit: own) else { break }
        let probabilities = Softmax.probabilities(logits)
        let common = share * probabilities.dot(slope)
        let misses = slope.map { abs(common - share * $0 - observed) }
        guard let label = misses.indices.min(by: { misses[$0] < misses[$1] }),
          misses[label] <= tolerance * abs(observed) + rounding,
          misses[label] <= 1e-3 * abs(observed)
        else { continue }
        kept.samples.append(recovery.samples[index])
        kept.units.append([own])
        kept.labels.append(label)
        kept.certificates.append(misses[label] / abs(observed))
      }
      guard !kept.samples.isEmpty else { continue }
      kept.isProven = true
      kept.measurements.append(
        .init("bins that hold several samples", "\(recovery.samples.count - kept.samples.count)"))
      kept.preconditions = [
        "The weights are those of the gradient, and \(batch) samples were "
          + "\(observation.reduction == .sum ? "summed" : "averaged")."
      ]
      knowledge.recoveries[recovery.node] = kept
    }
  }
}

/// The logits of one input, and how they move with the bias of one unit.
private final class LogitSlopes {
  private let program: any CompiledProgram
  private let units: Int

  /// - Returns: `nil` if the network up to its classifier is no graph, or a weight is missing.
  init?(
    _ node: Int, _ classifier: Int, _ observation: Observation, _ backend: any Backend
  ) {
    guard let forward = try? observation.network.graph(samples: 1, upTo: classifier),
      forward.inputs.count == 1,
      let bias = forward.parameters.first(where: { $0.key.node == node && $0.key.role == .bias }),
      let elements = try? observation.network.elements(
        of: forward.parameters, from: observation.weights)
    else { return nil }
    var graph = forward.graph
    guard let logits = forward.featureMaps[classifier]?.declared(in: &graph) else { return nil }
    let direction = graph.input("direction", bias.value.type, .argument)
    let slope = graph.pushforward(of: logits, along: [bias.value: direction])
    graph.output("logits", logits)
    graph.output("slope", slope)
    guard let program = try? backend.compile(graph, in: .double) else { return nil }
    for (parameter, values) in zip(forward.parameters, elements) {
      program.bind(values, to: parameter.name)
    }
    self.program = program
    units = bias.value.type.elementCount
  }

  func at(_ input: [Double], unit: Int) -> (logits: [Double], slope: [Double])? {
    program.bind(input, to: "input")
    program.bind((0..<units).map { $0 == unit ? 1 : 0 }, to: "direction")
    guard (try? program.run()) != nil else { return nil }
    return (program.elements(of: "logits"), program.elements(of: "slope"))
  }
}
