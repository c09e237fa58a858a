internal import AuditModel
internal import Networks
internal import Tensors

extension InversionAttack {
  func starts() -> [RestartState] {
    (0..<max(settings.restarts, 1)).map { index in
      // Far apart, so that neighbouring seeds do not share streams.
      var generator = SplitMix64(
        seed: SplitMix64.mixed(settings.seed, UInt64(truncatingIfNeeded: index)))
      var point = (0..<problem.count).map { _ in generator.normal() }
      if settings.optimizer == .spectralLBFGS { point = nearlyGrey(point) }
      if index == 0 { point = control.start?.flatMap { $0 } ?? approach ?? point }
      if problem.labels == nil {
        point += (0..<problem.samples * problem.classes).map { _ in generator.normal() }
      }
      let vectors =
        settings.optimizer.searchesLines ? [RestartState.input: point] : GradientSearch.start(point)
      return RestartState(index: index, vectors: vectors)
    }
  }

  /// Grey pictures with so little noise that it tells the samples apart, and no more.
  private func nearlyGrey(_ noise: [Double]) -> [Double] {
    guard let box = problem.box else { return noise.map { 0.1 * $0 } }
    return zip(noise, box.bounds(in: problem.shape)).map { value, bounds in
      let (low, high) = (bounds.lowerBound, bounds.upperBound)
      return (low + high) / 2 + 0.025 * (high - low) * value
    }
  }

  var startName: String {
    if control.start != nil { return "the inputs that --start states" }
    let chance =
      settings.optimizer == .spectralLBFGS
      ? "grey pictures with a little noise" : "standard normal numbers"
    let point = approach == nil ? chance : "what the closed forms left"
    guard let features = programs.features else { return point }
    return point
      + ", with the output of '\(problem.network.nodes[features.node].name)' as an equation"
  }

  /// Root mean square distance of the other restarts that ran to the end from the best, over the
  /// deviation of the best.
  func spread(_ restarts: [RestartState], _ best: RestartState) -> Double? {
    let others = restarts.filter { !$0.isAbandoned && $0.index != best.index }
    guard !others.isEmpty else { return nil }
    let values = Array(best.input.prefix(problem.count))
    let mean = values.reduce(0, +) / Double(values.count)
    let size = values.map { $0 - mean }.rootMeanSquareOrZero
    let distances = others.map { other in
      zip(values, other.input).map { $0 - $1 }.rootMeanSquareOrZero
    }
    return size > 0 ? distances.rootMeanSquareOrZero / size : nil
  }

  /// A text that is equal for equal problems and settings only, but for chance.
  var identity: String {
    var hash = Fingerprint()
    for (key, tensor) in problem.keys.map({ ($0, problem.gradient.tensors[$0]) }) {
      hash.add(Double(key.node))
      tensor?.elements().forEach { hash.add($0) }
    }
    for key in problem.weights.keys {
      problem.weights.tensors[key]?.elements().forEach { hash.add($0) }
    }
    (problem.labels ?? []).forEach { hash.add(Double($0)) }
    (control.start ?? []).joined().forEach { hash.add($0) }
    (approach ?? []).forEach { hash.add($0) }
    (programs.features?.values ?? []).forEach { hash.add($0) }
    let words = settings.description.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    let bounds = problem.box.map { "\($0.lower) to \($0.upper)" } ?? "none"
    let plan = problem.steps.map { "\($0.batches) at \($0.learningRate)" } ?? "one step"
    return "\(settings.attack.rawValue), \(words), \(problem.samples) samples, bounds \(bounds), "
      + "\(plan), \(problem.loss), \(problem.mode), \(hash.text)"
  }
}

/// A short number for many.
///
/// - Source: Fowler, Noll & Vo: FNV-1a, 64 bits.
private struct Fingerprint {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ value: Double) {
    state = (state ^ value.bitPattern) &* 0x0000_0100_0000_01b3
    state ^= state >> 29
  }

  var text: String { String(state, radix: 16) }
}
