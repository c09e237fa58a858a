internal import Networks
internal import Tensors

/// How far the elements of the model input get through a network as they are.
///
/// A filter or unit with weights `w` passes one of its inputs on with a signal-to-noise ratio of
/// `max|w| / (Σ|w| − max|w|)`, infinite for an identity.
struct Transmission {
  /// What a node gives, element by element.
  private enum Content {
    /// The model input, rearranged or rescaled at most.
    case input
    /// For each channel or feature, which channel or feature of the input it carries, if one.
    case carried([Int?])
    case zero
    case mixed
  }

  /// A layer with weights that the input reaches as it is.
  struct Site {
    var node: Int
    /// The layers that pass the input on up to this one, itself included.
    var chain: [Int]
    /// Signal-to-noise ratio with which the median channel or feature of the input leaves.
    var ratio: Double
    /// Channels or features of the input.
    var width: Int
    /// Whether a further layer passes the input on.
    var isContinued = false
  }

  private(set) var sites: [Site] = []
  private let network: Network
  private let parameters: Parameters
  private let leastRatio: Double
  private let leastColumns: Int

  /// Filters below this ratio are not looked at closely.
  private static let floor = 0.05

  init?(_ subject: Subject, leastRatio: Double, leastColumns: Double) {
    guard let parameters = subject.parameters, subject.network.origin == .declared else {
      return nil
    }
    network = subject.network
    self.parameters = parameters
    self.leastRatio = leastRatio
    self.leastColumns = Int(leastColumns)
    var states: [(content: Content, chain: [Int])] = []
    for index in network.nodes.indices {
      let arriving = network.nodes[index].sources.map {
        source -> (content: Content, chain: [Int]) in
        switch source {
        case .input: (.input, [])
        case .node(let before): before < index ? states[before] : (.mixed, [])
        }
      }
      states.append(passed(index, arriving))
    }
  }

  private mutating func passed(
    _ index: Int, _ arriving: [(content: Content, chain: [Int])]
  ) -> (content: Content, chain: [Int]) {
    let node = network.nodes[index]
    guard node.mismatch == nil, let first = arriving.first else { return (.mixed, []) }
    if let merge = node.layer as? Merge {
      let others = arriving.filter { if case .zero = $0.content { false } else { true } }
      return merge.operation == .add && others.count == 1 ? others[0] : (.mixed, [])
    }
    guard arriving.count == 1 else { return (.mixed, []) }
    if node.layer is Dense || node.layer is Convolution { return weighed(index, first) }
    if node.layer is BatchNormalization { return normalised(index, first) }
    switch (node.layer.treatment, first.content) {
    case (.unchanged, .input), (.unchangedAtInference, _), (.affine, .input): return first
    case (.elementwise(let function), .zero):
      return function.value(0) == 0 ? first : (.mixed, [])
    case (.elementwise, .carried), (.unchanged, .zero): return first
    default: return node.layer is Pooling ? first : (.mixed, [])
    }
  }

  private func normalised(
    _ index: Int, _ arriving: (content: Content, chain: [Int])
  ) -> (content: Content, chain: [Int]) {
    let scale = parameters.elements(index, .scale) ?? []
    if !scale.isEmpty, scale.allSatisfy({ $0 == 0 }),
      parameters.elements(index, .shift)?.allSatisfy({ $0 == 0 }) ?? true
    {
      return (.zero, [])
    }
    guard case .carried(let map) = arriving.content else { return (.mixed, []) }
    let kept = map.indices.map { scale.indices.contains($0) && scale[$0] == 0 ? nil : map[$0] }
    return (.carried(kept), arriving.chain)
  }

  private mutating func weighed(
    _ index: Int, _ arriving: (content: Content, chain: [Int])
  ) -> (content: Content, chain: [Int]) {
    guard let matrix = parameters.matrix(index), matrix.statistics.isFinite else {
      return (.mixed, [])
    }
    let rows = matrix.statistics.rows
    if rows.allSatisfy({ $0.nonzeroCount == 0 }),
      parameters.elements(index, .bias)?.allSatisfy({ $0 == 0 }) ?? true
    {
      return (.zero, [])
    }
    let convolution = network.nodes[index].layer as? Networks.Convolution
    guard convolution.map({ $0.variant == .plain && $0.groups == 1 }) ?? true,
      matrix.view.columns >= leastColumns
    else { return (.mixed, []) }
    // From the weight, not from the layer: a stated kernel is a claim.
    let shape = matrix.view.tensor.shape
    let width =
      convolution == nil
      ? matrix.view.columns
      : matrix.view.axis == .first ? shape[1] : shape[shape.count - 2]
    let taps = matrix.view.columns / max(width, 1)
    let map: [Int?]
    switch arriving.content {
    case .input: map = Array(0..<width)
    case .carried(let carried) where carried.count == width: map = carried
    default: return (.mixed, [])
    }
    let inputWidth = (map.compactMap { $0 }.max() ?? -1) + 1
    guard inputWidth > 0 else { return (.mixed, []) }
    var best = [Double](repeating: 0, count: inputWidth)
    var output = [Int?](repeating: nil, count: rows.count)
    let isSparse = 2 * rows.reduce(0) { $0 + $1.nonzeroCount } < Double(matrix.view.tensor.count)
    var passing = 0
    for (unit, row) in rows.enumerated() {
      let rest = row.magnitudes - row.peak
      let ratio = rest > 0 ? row.peak / rest : row.peak > 0 ? Double.infinity : 0
      guard ratio >= Self.floor, let place = peakPlace(matrix.view.row(unit)) else { continue }
      let source = matrix.view.axis == .first ? place / max(taps, 1) : place % width
      guard let carried = map[source] else { continue }
      // Of what pruning leaves of a filter, one weight often stands alone, but seldom in the middle.
      let tap = matrix.view.axis == .first ? place % max(taps, 1) : place / width
      if isSparse, taps > 1, tap != taps / 2 { continue }
      if ratio >= leastRatio { passing += 1 }
      best[carried] = max(best[carried], ratio)
      if ratio >= leastRatio { output[unit] = carried }
    }
    let used = rows.count { $0.nonzeroCount > 0 }
    let ratio = isSparse && 2 * passing < used ? 0 : best.sorted()[inputWidth / 2]
    let chain = arriving.chain + [index]
    sites.append(Site(node: index, chain: chain, ratio: ratio, width: inputWidth))
    guard ratio >= leastRatio else { return (.mixed, []) }
    for place in sites.indices where arriving.chain.contains(sites[place].node) {
      sites[place].isContinued = true
    }
    return (.carried(output), chain)
  }

  private func peakPlace(_ row: [Double]) -> Int? {
    row.indices.max { abs(row[$0]) < abs(row[$1]) }
  }
}
