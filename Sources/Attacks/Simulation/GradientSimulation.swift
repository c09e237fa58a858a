internal import AuditModel
internal import Networks
internal import Tensors

/// Proves recoveries by computing the gradient that they would have caused.
///
/// The whole network must be a chain of dense layers with known weights. The simulated gradient is
/// compared with every observed tensor; the factor between the two is fitted, since updates and
/// optimiser slots are multiples of the gradient, and reported.
enum GradientSimulation {
  /// Frameworks compute in single precision and sum in another order; a wrong input misses by far more.
  private static let tolerance = 1e-4

  /// Raises recoveries to proven, or records that the weights contradict them.
  static func certify(_ knowledge: inout Knowledge, on observation: Observation) {
    guard !observation.weights.tensors.isEmpty,
      let first = observation.denseNodes.first,
      let recovery = knowledge.recoveries[first], recovery.isDetermined == nil,
      recovery.method != ImprintBins.metadata.identifier,
      let map = observation.affineFromInput(to: first)
        ?? (observation.network.origin == .inferred ? (1, 0) : nil)
    else { return }
    let activations =
      observation.network.origin == .inferred
      ? HiddenActivations.identify(observation, knowledge) : [:]
    guard let stack = DenseStack(observation, activations: activations) else { return }
    if !recovery.isProven, !recovery.units.isEmpty {
      ClusterCertificates.certify(&knowledge, first, map, stack, observation)
      return
    }
    let inputs = recovery.samples.map { $0.map { ($0 - map.offset) / map.scale } }
    let isWhole =
      inputs.count == observation.batchSize || inputs.count == 1 && recovery.units.isEmpty
    guard isWhole, inputs.count <= 64 else { return }
    certify(first, inputs, stack, observation, &knowledge)
  }

  private static func certify(
    _ first: Int, _ inputs: [[Double]], _ stack: DenseStack, _ observation: Observation,
    _ knowledge: inout Knowledge
  ) {
    let runs = inputs.compactMap { stack.run($0) }
    guard runs.count == inputs.count, let recovery = knowledge.recoveries[first] else { return }
    let labels = chooseLabels(runs, stack, recovery, observation)
    let share = observation.reduction == .sum ? 1 : 1 / Double(inputs.count)
    var factors: [Int: [(u: [Double], v: [Double])]] = [:]
    for (run, label) in zip(runs, labels) {
      let gradient = outputGradient(run, label, stack).map { $0 * share }
      for (node, pair) in stack.backward(run, outputGradient: gradient) {
        factors[node, default: []].append(pair)
      }
    }
    let comparison = Comparison(factors, observation)
    guard let certificate = comparison.relativeError else { return }
    knowledge.networkCertificate = certificate
    knowledge.networkScale = comparison.scale
    let unit = observation.gradient.matrix(first)?.tensor.resolution.unitRoundoff ?? 0x1p-24
    let isEqual = certificate <= max(tolerance, 64 * unit)
    let isScaleFixed =
      observation.source != .gradient || abs(comparison.scale - 1) <= max(1e-3, 64 * unit)
    knowledge.preflight.append(check(certificate, comparison.scale, isEqual))
    // With one or two outputs a free factor would explain mixtures too.
    let isConclusive =
      observation.separatesSamples || observation.source == .gradient && isScaleFixed
    guard isEqual, isConclusive, !stack.hasSquaredLoss else { return }
    for node in knowledge.recoveries.keys
    where knowledge.recoveries[node]?.samples.count == inputs.count {
      knowledge.recoveries[node]?.isProven = true
      knowledge.recoveries[node]?.certificates = inputs.map { _ in certificate }
      knowledge.recoveries[node]?.scope = "the gradient of the whole network, simulated again"
      if node == first { knowledge.recoveries[node]?.labels = labels }
    }
  }

  private static func check(
    _ certificate: Double, _ scale: Double, _ isEqual: Bool
  ) -> PreflightCheck {
    PreflightCheck(
      artifact: "", check: "simulated gradient equals the observed one",
      status: isEqual ? .ok : .warning,
      value: "relative error \(certificate.displayed), factor \(scale.displayed)",
      explanation: isEqual
        ? nil
        : "The weights are not those at which the gradient was taken, the loss is not softmax or "
          + "sigmoid cross-entropy, or the gradient was altered. The recovery rests on the layer's "
          + "own equations.")
  }

  /// The label of each sample under which its simulated gradient fits best.
  private static func chooseLabels(
    _ runs: [DenseStack.Run], _ stack: DenseStack, _ recovery: Knowledge.Recovery,
    _ observation: Observation
  ) -> [Int] {
    let bias = observation.gradient.bias(recovery.node)
    let head = observation.classifier.flatMap { observation.gradient.bias($0) }
    return runs.enumerated().map { index, run in
      if let label = recovery.labels[index] { return label }
      let classes = max(run.probabilities.count, 2)
      return (0..<min(classes, 4_096)).min { a, b in
        miss(a) < miss(b)
      } ?? 0

      func miss(_ label: Int) -> Double {
        let gradient = outputGradient(run, label, stack)
        if recovery.units.isEmpty, let head {
          return Self.misfit(gradient, head, isSigned: observation.sign != nil)
        }
        let simulated = stack.backward(run, outputGradient: gradient)[recovery.node]?.u ?? []
        let own = recovery.units.isEmpty ? Array(simulated.indices) : recovery.units[index]
        return Self.misfit(
          own.map { simulated.indices.contains($0) ? simulated[$0] : 0 },
          own.map { bias?[$0] ?? 0 }, isSigned: observation.sign != nil)
      }
    }
  }

  /// How far `observed` is from a multiple of `simulated`; a positive one where the sign is known.
  private static func misfit(
    _ simulated: [Double], _ observed: [Double], isSigned: Bool
  ) -> Double {
    guard let a = simulated.normalized, let b = observed.normalized, a.count == b.count else {
      return .infinity
    }
    let cosine = a.dot(b)
    return 1 - (isSigned ? cosine : abs(cosine))
  }

  /// `p − y` at the output.
  static func outputGradient(
    _ run: DenseStack.Run, _ label: Int, _ stack: DenseStack
  ) -> [Double] {
    var gradient = run.probabilities
    if gradient.count == 1 { gradient[0] -= label == 1 ? 1 : 0 } else { gradient[label] -= 1 }
    return gradient
  }
}

/// The observed gradient beside a simulated one.
private struct Comparison {
  /// The factor that makes the simulated gradient most like the observed one.
  var scale = 1.0
  var relativeError: Double?

  init(_ factors: [Int: [(u: [Double], v: [Double])]], _ observation: Observation) {
    var (product, energy) = (0.0, 0.0)
    for (node, pairs) in factors {
      guard let bias = observation.gradient.bias(node) else { continue }
      let simulated = bias.indices.map { index in
        pairs.reduce(0) { $0 + ($1.u.indices.contains(index) ? $1.u[index] : 0) }
      }
      product += bias.dot(simulated)
      energy += simulated.dot(simulated)
    }
    if energy > 0 {
      scale = product / energy
    } else {
      scale = scaleFromWeights(factors, observation)
    }
    guard scale.isFinite, scale != 0 else { return }
    var (missed, total) = (0.0, 0.0)
    for (node, pairs) in factors {
      guard let matrix = observation.gradient.matrix(node) else { continue }
      let scaled = pairs.map { pair in (u: pair.u.map { $0 * scale }, v: pair.v) }
      guard
        scaled.allSatisfy({ $0.u.count == matrix.outputs && $0.v.count == matrix.inputs })
      else { return }
      let residual = matrix.residual(outers: scaled)
      missed += residual.distance * residual.distance
      total += residual.norm * residual.norm
    }
    if total > 0 { relativeError = (missed / total).squareRoot() }
  }

  private func scaleFromWeights(
    _ factors: [Int: [(u: [Double], v: [Double])]], _ observation: Observation
  ) -> Double {
    var (product, energy) = (0.0, 0.0)
    for (node, pairs) in factors {
      guard let matrix = observation.gradient.matrix(node), pairs.count == 1 else { continue }
      let (u, v) = pairs[0]
      product += matrix(v).dot(u)
      energy += u.dot(u) * v.dot(v)
    }
    return energy > 0 ? product / energy : 0
  }
}
