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

  let places: Int
  let channels: Int
  let input: [Double]
  let programs: LayerPrograms
  var gradients: [GradientRows] = []
  /// Layers with known outputs; a weight that is not there yet is read when it is needed.
  var forwards: [(node: Int, rows: InvertibilityOpen.Forward)] = []
  var direct: InvertibilityOpen.Direct?
  var unfollowed: [String] = []

  private(set) var forwardEquations = 0
  var gradientEquations: Int { gradients.reduce(0) { $0 + $1.equations } }
  var unknowns: Int { places * channels }
  /// Directions that stay open at least, whatever the numbers are.
  var leastOpen: Int {
    max(places - gradients.reduce(0) { $0 + $1.rows }, 0) * channels
  }
  /// Whether values known further up might fix what the gradient equations leave open.
  var wantsBasis: Bool { forwardEquations > 0 && leastOpen <= Self.openLimit }

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
