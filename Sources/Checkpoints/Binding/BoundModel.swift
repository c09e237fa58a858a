public import Networks
internal import Tensors

/// A network with the tensors that a file has for it.
public struct BoundModel: Sendable {
  public var network: Network
  /// Where the architecture comes from when the file itself does not state it.
  public var weights: ParameterTable
  /// Layers whose weights were found by shape or position, not by name.
  public var matchedWithoutName: [String]
  /// Parameters that fit no layer.
  public var leftOver: [NamedTensor]

  /// A network whose weights are already in a table.
  public init(_ network: Network, weights: ParameterTable) {
    self.network = network
    self.weights = weights
    matchedWithoutName = []
    leftOver = []
  }

  /// Several times the largest public models; names are matched layer by layer, so more would stall.
  private static let layerLimit = 10_000

  /// Binds a file's parameters to its own architecture, or to one guessed from its names.
  ///
  /// `architecture` replaces the file's own one. The result is `nil` if there is neither an
  /// architecture nor a parameter or gradient to guess one from.
  ///
  /// - Throws: ``CheckpointError`` if the tensors contradict the architecture.
  public init?(_ loaded: LoadedFile, architecture: Network? = nil) throws(CheckpointError) {
    let contents = loaded.contents
    let visible =
      contents.parameters.isEmpty ? contents.gradients.first?.tensors ?? [] : contents.parameters
    guard
      let network = architecture ?? contents.architecture
        ?? InferredNetwork.build(name: "model", from: visible, convention: contents.convention)
    else { return nil }
    guard network.nodes.count <= Self.layerLimit else {
      throw CheckpointError(
        .architecture(
          detail: "it has \(network.nodes.count) layers; up to \(Self.layerLimit) are read"),
        file: loaded.path)
    }
    let match = try ParameterMatcher(network: network, file: loaded.path)
      .match(contents.parameters, convention: contents.convention, isLenient: true)
    self.network = network
    weights = match.table
    matchedWithoutName = match.withoutName
    leftOver = match.leftOver
  }

  /// Ties the slots of an optimiser to the network.
  ///
  /// Slots without names follow the trainable parameters in order, if their shapes agree one by one.
  /// What fits nothing is left out: the rest of the state is still worth looking at.
  public func bindSlots(
    _ tensors: [NamedTensor], convention: ParameterTable.Convention, file: String
  ) throws(CheckpointError) -> (table: ParameterTable, leftOver: [NamedTensor]) {
    let trainable = weights.keys.filter(\.role.isTrainable)
      .sorted { ($0.node, $0.role.creationOrder) < ($1.node, $1.role.creationOrder) }
    let shapes = trainable.map { weights[$0.node, $0.role]?.shape }
    if shapes == tensors.map(\.tensor.shape), !tensors.isEmpty {
      var table = ParameterTable(convention: weights.convention)
      for (key, tensor) in zip(trainable, tensors) { table[key.node, key.role] = tensor.tensor }
      return (table, [])
    }
    let match = try ParameterMatcher(
      network: network, known: weights.tensors.isEmpty ? nil : weights, file: file
    ).match(tensors, convention: convention, isLenient: true)
    return (match.table, match.leftOver)
  }

  /// Ties tensors of another file to the same network.
  ///
  /// - Throws: ``CheckpointError`` if one of them fits no parameter, or more than one.
  public func bind(
    _ tensors: [NamedTensor], convention: ParameterTable.Convention, file: String
  ) throws(CheckpointError) -> (table: ParameterTable, withoutName: [String]) {
    let match = try ParameterMatcher(
      network: network, known: weights.tensors.isEmpty ? nil : weights, file: file
    ).match(tensors, convention: convention, isLenient: false)
    return (match.table, match.withoutName)
  }
}

extension ParameterRole {
  /// The position at which frameworks create a parameter within its layer.
  fileprivate var creationOrder: Int {
    switch self {
    case .weight, .scale, .embeddings: 0
    case .bias, .shift: 2
    case .runningMean: 3
    case .runningVariance: 4
    case .other: 1
    }
  }
}
