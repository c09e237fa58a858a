internal import TensorIR
internal import Tensors

/// What batch normalisation in inference mode subtracts and divides by.
public enum RunningStatistics: String, Hashable, Sendable, CaseIterable {
  /// Mean 0 and variance 1: a network that was never trained.
  case fresh
  /// Means from `U(±1/2)`, variances from `U(1/2, 3/2)`, scales from `U(1/2, 3/2)` and shifts from
  /// `U(±1/2)`, so that an error in any of them shows.
  case drawn

  fileprivate func draw(
    _ role: ParameterRole, _ count: Int, from stream: inout SplitMix64
  ) -> [Double]? {
    guard self == .drawn else { return nil }
    switch role {
    case .runningMean, .shift: return (0..<count).map { _ in stream.uniform(-0.5, 0.5) }
    case .runningVariance, .scale: return (0..<count).map { _ in stream.uniform(0.5, 1.5) }
    default: return nil
    }
  }
}

extension Network {
  /// Parameters for every layer, the same for the same seed on every platform.
  ///
  /// Parameters are taken in node order and within a node in the order of their roles' names. The
  /// `k`-th is drawn element by element, in PyTorch's axis order, from a stream of its own, seeded
  /// with the `k`-th number of `SplitMix64(seed)`.
  ///
  /// - Returns: A table in PyTorch's convention, normalisation statistics included.
  /// - Throws: ``UnsupportedLayer`` naming the first layer whose parameters are not known.
  public func initialParameters(
    _ initialization: Initialization, seed: UInt64, statistics: RunningStatistics = .fresh
  ) throws(UnsupportedLayer) -> ParameterTable {
    let parameters = try graph(samples: 1).parameters
      .sorted { ($0.key.node, $0.key.role) < ($1.key.node, $1.key.role) }
    let fans = Dictionary(
      uniqueKeysWithValues: parameters.filter { $0.key.role == .weight }
        .map { ($0.key.node, Fans(weight: $0.value.type.shape)) })
    var table = ParameterTable(convention: .channelsFirst)
    var seeds = SplitMix64(seed: seed)
    for parameter in parameters {
      let key = parameter.key
      let shape = parameter.value.type.shape
      var stream = SplitMix64(seed: seeds.next())
      let count = parameter.value.type.elementCount
      let distribution = initialization.distribution(
        key.role, rank: shape.count,
        fans: key.role == .bias ? fans[key.node] ?? Fans(weight: shape) : Fans(weight: shape))
      let elements =
        statistics.draw(key.role, count, from: &stream)
        ?? distribution.draw(count, from: &stream)
      table[key.node, key.role] = Tensor(
        elements, shape: arrangement(of: parameter, in: .channelsFirst).tableShape)
    }
    return table
  }
}
