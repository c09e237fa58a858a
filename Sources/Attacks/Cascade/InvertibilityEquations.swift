internal import AuditModel
internal import Networks

/// Everything that is linear in one map: the gradient equations of the layers that read it, what is
/// known behind them, and entries known from elsewhere.
struct InvertibilityEquations {
  struct Result {
    /// Independent equations; `nil` if they could not even be bounded.
    var rank: Int?
    var isExact = false
    /// Whether directions stay open for certain.
    var isOpen = false
    var usesForward = false
    var amplification: Double?
    var notes: [String] = []
  }

  private let places: Int
  private let channels: Int
  private let input: [Double]
  private let programs: LayerPrograms
  private var gradients: [GradientRows] = []
  /// Layers with known outputs; a weight that is not there yet is read when it is needed.
  private var forwards: [(node: Int, rows: InvertibilityOpen.Forward)] = []
  private var direct: InvertibilityOpen.Direct?
  private var unfollowed: [String] = []

  private(set) var forwardEquations = 0
  var gradientEquations: Int { gradients.reduce(0) { $0 + $1.equations } }
  private var unknowns: Int { places * channels }
  /// Directions that stay open at least, whatever the numbers are.
  private var leastOpen: Int {
    max(places - gradients.reduce(0) { $0 + $1.rows }, 0) * channels
  }
  /// Whether values known further up might fix what the gradient equations leave open.
  private var wantsBasis: Bool { forwardEquations > 0 && leastOpen <= Self.openLimit }

  /// Channels with equations of their own beyond which only some are ranked.
  private static let sampleSize = 16
  /// Multiply-adds for all of them under which none is left out.
  private static let sampleWork = 2e10
  /// Open directions beyond which equations from values further up are only counted.
  private static let openLimit = MapSolve.denseLimit

  init(
    _ source: Network.Source, _ readers: [Int], _ simulation: InvertibilitySimulation,
    _ inference: InvertibilityInference
  ) throws(CascadeStop) {
    programs = simulation.programs
    let shape = programs.shape(of: source)
    channels = max(shape.last ?? 1, 1)
    places = shape.dropLast().reduce(1, *)
    input = simulation.values[source] ?? []
    for reader in readers { try add(reader, shape, simulation, inference) }
    // Entries known without the readers' own equations, such as through an identity shortcut.
    if let entries = try inference.entries(source), entries.contains(true) {
      direct = .init(
        isKnown: entries, size: max(input.rootMeanSquareOrZero, .leastNormalMagnitude))
      forwardEquations += entries.count { $0 }
    }
    // Sizes matter where rows of several layers meet, and where the map may be determined.
    if gradients.count > 1 || wantsBasis || leastOpen == 0 {
      for index in gradients.indices { gradients[index].measure(input) }
    }
  }

  private mutating func add(
    _ reader: Int, _ shape: [Int], _ simulation: InvertibilitySimulation,
    _ inference: InvertibilityInference
  ) throws(CascadeStop) {
    let network = simulation.network
    let output = programs.shape(of: .node(reader))
    guard let arriving = simulation.gradients[reader] else { return }
    let site: KernelSite
    var weight: [Double] = []
    if let layer = network.nodes[reader].layer as? Networks.Convolution,
      layer.variant == .separable
    {
      guard
        let parts = SeparableParts(
          reader, layer, input: shape, output: output, gradient: arriving, programs)
      else { return unfollow(network.nodes[reader]) }
      gradients.append(parts.rows)
      (site, weight) = (parts.site, parts.weight)
    } else {
      guard let found = KernelSite(reader, of: network, input: shape, output: output) else {
        return unfollow(network.nodes[reader])
      }
      gradients.append(GradientRows(site: found, outputGradient: arriving))
      site = found
    }
    guard let known = try inference.entries(.node(reader)), known.contains(true) else { return }
    let size = (simulation.values[.node(reader)] ?? []).rootMeanSquareOrZero
    let rows = InvertibilityOpen.Forward(
      site: site, weight: weight, isKnown: known, size: max(size, .leastNormalMagnitude))
    forwards.append((reader, rows))
    forwardEquations += known.count { $0 }
  }

  private mutating func unfollow(_ node: Network.Node) {
    unfollowed.append("the equations of '\(node.name)' are not set up")
  }
}

// MARK: - Rank

extension InvertibilityEquations {
  private struct Bucket {
    var channels: [Int]
    var groups: [Int]
  }

  private func buckets() -> [Bucket] {
    var found: [[Int]: [Int]] = [:]
    for channel in 0..<channels {
      let key = gradients.map { channel / max($0.site.groupInputs, 1) }
      found[key, default: []].append(channel)
    }
    return found.map { Bucket(channels: $0.value, groups: $0.key) }
      .sorted { $0.channels[0] < $1.channels[0] }
  }

  /// Ranks the equations.
  ///
  /// - Parameter budget: Multiply-adds that may be spent; equations that would take more are counted.
  /// - Returns: The rank and what follows from it.
  /// - Throws: ``CascadeStop`` if a number is not finite.
  func rank(budget: inout Double) throws(CascadeStop) -> Result {
    var result = Result(notes: unfollowed)
    let buckets = buckets()
    let rows = gradients.reduce(0) { $0 + $1.rows }
    let work = InvertibilitySpectrum.work(rows: rows, places: places)
    let isSampled =
      buckets.count > Self.sampleSize && Double(buckets.count) * work > Self.sampleWork
    let sampled =
      isSampled
      ? (0..<Self.sampleSize).map { buckets[$0 * buckets.count / Self.sampleSize] } : buckets
    guard Double(sampled.count) * work <= budget else {
      count(&result)
      return result
    }
    budget -= Double(sampled.count) * work
    var (seen, ranked, variance) = (0, 0, 0.0)
    var parts: [InvertibilityOpen.Part] = []
    for bucket in sampled {
      let own = zip(gradients, bucket.groups).map { (rows: $0, group: $1) }
      guard
        let spectrum = try InvertibilitySpectrum(
          own, places: places, wantsBasis: wantsBasis && !isSampled,
          tolerance: Invertibility.rankTolerance)
      else {
        count(&result)
        return result
      }
      seen += spectrum.rank * bucket.channels.count
      ranked += bucket.channels.count
      variance += spectrum.variance * Double(bucket.channels.count)
      if let open = spectrum.open {
        parts.append(.init(channels: bucket.channels, open: open))
      }
    }
    if isSampled {
      seen = seen * channels / max(ranked, 1)
      variance *= Double(channels) / Double(max(ranked, 1))
      result.notes.append(
        "\(Self.sampleSize) of \(buckets.count) groups were ranked, the others counted alike")
    }
    let open = unknowns - seen
    guard open > 0 else {
      result.rank = unknowns
      result.isExact = true
      result.amplification = amplification(variance)
      return result
    }
    let isFillable =
      parts.count == buckets.count && open <= Self.openLimit
      && InvertibilityOpen.work(open) <= budget
    if isFillable, forwardEquations > 0 { budget -= InvertibilityOpen.work(open) }
    try fill(open, seen, isFillable ? parts : nil, variance, &result)
    return result
  }

  /// Where the numbers are too many to be factored.
  private func count(_ result: inout Result) {
    let equations = gradientEquations + forwardEquations
    result.isOpen = equations < unknowns
    result.rank = result.isOpen ? equations : nil
    result.notes.append("equations are counted, not ranked: they are too many to be factored")
  }

  /// What values known further up add to the gradient equations.
  private func fill(
    _ open: Int, _ seen: Int, _ parts: [InvertibilityOpen.Part]?, _ variance: Double,
    _ result: inout Result
  ) throws(CascadeStop) {
    guard forwardEquations > 0 else {
      result.rank = seen
      result.isOpen = true
      return
    }
    result.usesForward = true
    if let parts {
      let system = try InvertibilityOpen(
        parts, channels: channels, forwards: loadedForwards(), direct: direct,
        tolerance: Invertibility.rankTolerance)
      if let fixed = system.rank {
        result.rank = seen + fixed
        result.isExact = fixed == open
        result.isOpen = !result.isExact
        result.amplification = amplification(variance + system.variance)
        return
      }
    }
    if forwardEquations < open {
      result.rank = seen + forwardEquations
      result.isOpen = true
      result.notes.append(
        "equations from values behind it are counted, so this rank is an upper bound")
    } else {
      result.notes.append(
        "the gradient equations have rank \(DisplayedNumber.grouped(seen)); those from values behind it are counted, and might "
          + "fix the rest, which is more than is solved at once")
    }
  }

  private func loadedForwards() -> [InvertibilityOpen.Forward] {
    forwards.compactMap { node, rows in
      guard rows.weight.isEmpty else { return rows }
      guard let weight = programs.elements(node, .weight, of: programs.weights) else { return nil }
      var rows = rows
      rows.weight = weight
      return rows
    }
  }

  /// Relative error of the map per relative error of the equations.
  ///
  /// - Parameter variance: Of all entries together, if rows have a variance of 1.
  /// - Returns: `nil` if there is nothing to compare with.
  private func amplification(_ variance: Double) -> Double? {
    let size = input.rootMeanSquareOrZero
    guard size > 0, variance > 0 else { return nil }
    let result = (variance / Double(unknowns)).squareRoot() / size
    return result.isFinite ? result : nil
  }
}
