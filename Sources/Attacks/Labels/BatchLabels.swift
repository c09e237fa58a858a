internal import AuditModel
internal import Networks
internal import Tensors

/// Existence and counts of the classes of a batch.
struct BatchLabels {
  private let head: Head
  private let observation: Observation
  private let knowledge: Knowledge
  private var classes: Int { head.values.count }

  init(_ head: Head, _ observation: Observation, _ knowledge: Knowledge) {
    self.head = head
    self.observation = observation
    self.knowledge = knowledge
  }

  /// `nil` if not even the sign of the gradient is known.
  var summary: LabelSummary? {
    guard head.isSigned else { return nil }
    let present = head.values.indices.filter { head.values[$0] < -head.noise }
    if let exact = fromSamples { return exact }
    guard let batch = observation.batchSize, (observation.steps ?? 1) == 1,
      observation.source == .gradient
    else {
      return LabelSummary(
        present: present, counts: nil, interval: nil,
        method: "classes whose bias gradient is negative are certainly present; counts need the "
          + "batch size and the scale of the gradient",
        exact: false, source: observation.sourceName)
    }
    return counted(present, batch)
  }

  /// Every sample of the batch was recovered together with its label.
  private var fromSamples: LabelSummary? {
    for node in knowledge.recoveries.keys.sorted() {
      guard let recovery = knowledge.recoveries[node], recovery.isProven,
        recovery.samples.count == observation.batchSize
      else { continue }
      let labels = recovery.labels.compactMap { $0 }
      guard labels.count == recovery.samples.count else { continue }
      let counts = (0..<classes).map { label in labels.count { $0 == label } }
      return LabelSummary(
        present: Set(labels).sorted(), counts: counts, interval: counts.map { [$0, $0] },
        method: "label of each recovered sample, from the units that belong to it alone",
        exact: true, source: observation.sourceName)
    }
    return nil
  }

  private func counted(_ present: [Int], _ batch: Int) -> LabelSummary {
    let size = Double(batch)
    let smoothing = observation.labelSmoothing
    // Per-sample mean of p − y, whatever the reduction.
    let mean = head.values.map { observation.reduction == .sum ? $0 / size : $0 }
    func counts(_ prediction: [Double]) -> [Double] {
      zip(prediction, mean).map {
        size * ($0 - $1 - smoothing / Double(classes)) / (1 - smoothing)
      }
    }
    let uniform = counts([Double](repeating: 1 / Double(classes), count: classes))
    var estimates = [("uniform predictions", uniform)]
    if let prediction = dummyPrediction() {
      estimates.append(("predictions for random inputs", counts(prediction)))
    }
    if let restored = instanceWise(mean, size) {
      estimates.append(("class-wise features", restored))
    }
    let best = estimates[min(1, estimates.count - 1)]
    let rounded = Self.rounded(best.1.map { max($0, 0) }, total: batch, atLeastOne: present)
    let interval = (0..<classes).map { label -> [Int] in
      let all = estimates.map { $0.1[label] }
      let spread = estimates.count == 1 ? size / Double(classes) : 0
      // p̄ ≥ 0 gives n_c ≥ −B b̄_c, whatever the network predicts.
      let certain = max(
        Int((-size * mean[label] - 1e-4).rounded(.up)), present.contains(label) ? 1 : 0)
      let low = Int(((all.min() ?? 0) - spread).rounded(.down))
      let high = Int(((all.max() ?? 0) + spread).rounded(.up))
      let lower = min(max(low, certain, 0), rounded[label])
      return [lower, max(min(high, batch), rounded[label])]
    }
    return LabelSummary(
      present: present, counts: rounded, interval: interval,
      method: "n_c = B(p̄_c − b̄_c) with p̄ from \(best.0); intervals span "
        + estimates.map(\.0).joined(separator: ", ")
        + "; assumes B = \(batch), loss reduction \(observation.reduction?.rawValue ?? "mean") and "
        + "that the network is not yet confident",
      exact: false, source: observation.sourceName)
  }

  /// The network's mean output for random inputs, where it can be run.
  private func dummyPrediction() -> [Double]? {
    guard let stack = DenseStack(observation), let count = stack.inputCount else { return nil }
    var generator = SplitMix64(seed: 17)
    var total = [Double](repeating: 0, count: classes)
    let trials = 32
    for _ in 0..<trials {
      let input = (0..<count).map { _ in (generator.nextUniform() + 1) / 2 }
      guard let p = stack.run(input)?.probabilities, p.count == classes else { return nil }
      for label in total.indices { total[label] += p[label] / Double(trials) }
    }
    return total
  }

  /// Restores counts instance by instance.
  ///
  /// After Ma et al., ICLR 2023: the mean features of class `c` are `W̄_c / b̄_c`; their
  /// predictions `p_c` give `n = Pᵀn − B b̄`, solved by iteration from equal counts.
  private func instanceWise(_ mean: [Double], _ size: Double) -> [Double]? {
    guard classes <= 256, let node = observation.classifier,
      let weights = observation.weights.matrix(node),
      let gradient = observation.gradient.matrix(node),
      let observed = observation.gradient.bias(node)
    else { return nil }
    let bias = observation.weights.bias(node) ?? [Double](repeating: 0, count: classes)
    let predictions = (0..<classes).map { label -> [Double] in
      guard observed[label] != 0 else {
        return [Double](repeating: 1 / Double(classes), count: classes)
      }
      let features = gradient.row(label).map { $0 / observed[label] }
      return Softmax.probabilities(zip(weights(features), bias).map { $0 + $1 })
    }
    guard predictions.joined().allSatisfy(\.isFinite) else { return nil }
    var counts = [Double](repeating: size / Double(classes), count: classes)
    for _ in 0..<200 {
      var next = mean.map { -size * $0 }
      for (label, prediction) in predictions.enumerated() {
        for other in next.indices { next[other] += counts[label] * prediction[other] }
      }
      counts = zip(counts, next).map { 0.5 * ($0 + max($1, 0)) }
    }
    return counts
  }

  /// Whole numbers with the given total, nearest to `values`, by largest remainder.
  static func rounded(_ values: [Double], total: Int, atLeastOne: [Int]) -> [Int] {
    var counts = values.map { Int($0.rounded(.down)) }
    for label in atLeastOne where counts[label] == 0 { counts[label] = 1 }
    let byRemainder = values.indices.sorted {
      let (a, b) = (values[$0] - Double(counts[$0]), values[$1] - Double(counts[$1]))
      return (b, $0) < (a, $1)
    }
    var missing = total - counts.reduce(0, +)
    var position = 0
    while missing > 0, !byRemainder.isEmpty {
      counts[byRemainder[position % byRemainder.count]] += 1
      (missing, position) = (missing - 1, position + 1)
    }
    while missing < 0,
      let largest = counts.indices.filter({ counts[$0] > 0 }).min(by: {
        values[$0] - Double(counts[$0]) < values[$1] - Double(counts[$1])
      })
    {
      counts[largest] -= 1
      missing += 1
    }
    return counts
  }
}
