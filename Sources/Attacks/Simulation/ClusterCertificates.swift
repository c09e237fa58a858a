internal import Networks

/// Decides sample by sample whether a group of units with equal ratios is one sample.
///
/// With one or two classes a fixed mixture of samples makes equal ratios too. With the weights, the
/// loss gradient that the candidate alone would cause at its units can be computed; a mixture misses
/// it, because `p − y` of a mean input is not the mean of `p − y`.
enum ClusterCertificates {
  private static let tolerance = 1e-4

  static func certify(
    _ knowledge: inout Knowledge, _ node: Int, _ map: (scale: Double, offset: Double),
    _ stack: DenseStack, _ observation: Observation
  ) {
    guard observation.source == .gradient, let batch = observation.batchSize,
      let recovery = knowledge.recoveries[node], let bias = observation.gradient.bias(node)
    else { return }
    let share = observation.reduction == .sum ? 1 : 1 / Double(batch)
    var kept = recovery
    (kept.samples, kept.units, kept.labels, kept.certificates) = ([], [], [], [])
    for index in recovery.samples.indices {
      let input = recovery.samples[index].map { ($0 - map.offset) / map.scale }
      guard let run = stack.run(input) else { continue }
      let own = recovery.units[index]
      let observed = own.map { bias[$0] }
      let classes = 0..<min(max(run.probabilities.count, 2), 4_096)
      let fits = classes.compactMap { label -> (label: Int, error: Double)? in
        let output = GradientSimulation.outputGradient(run, label, stack).map { $0 * share }
        guard let u = stack.backward(run, outputGradient: output)[node]?.u else { return nil }
        let gap = zip(own, observed).map { u[$0] - $1 }
        return (label, gap.norm / max(observed.norm, .leastNonzeroMagnitude))
      }
      guard let best = fits.min(by: { $0.error < $1.error }), best.error <= tolerance else {
        continue
      }
      kept.samples.append(recovery.samples[index])
      kept.units.append(own)
      kept.labels.append(best.label)
      kept.certificates.append(best.error)
    }
    guard !kept.samples.isEmpty else { return }
    kept.isProven = true
    kept.scope = "the loss gradient that each sample alone causes at its own units, simulated"
    kept.preconditions = [
      "The weights are those of the gradient, and \(batch) samples were averaged."
    ]
    knowledge.recoveries[node] = kept
  }
}
