package import Networks

/// What a rule looks at: one artefact, its architecture and its weights where they were read.
package struct Subject: Sendable {
  /// The file, as the report displays it.
  package var artifact: String
  package var network: Network
  /// The weights; `nil` if only the architecture is known.
  package var parameters: Parameters?
  /// What the artefact should be like, where somebody keeps it.
  package var reference: Reference?
  /// Samples behind a gradient or update, if that is known.
  package var batchSize: Int?
  /// Optimiser state that the artefact carries.
  package var optimizer: OptimizerSummary?
  /// Whether the audit was given a gradient or an update of this network.
  package var hasGradient: Bool
  /// Which rules run on it, and where they draw their lines.
  package var settings: RuleSettings

  package init(
    artifact: String, network: Network, parameters: ParameterTable? = nil,
    optimizer: OptimizerSummary? = nil, hasGradient: Bool = false, batchSize: Int? = nil,
    reference: Reference? = nil, settings: RuleSettings = RuleSettings()
  ) {
    self.artifact = artifact
    self.network = network
    self.parameters = parameters.map { Parameters($0, of: network) }
    self.reference = reference
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.hasGradient = hasGradient
    self.settings = settings
  }

  /// A chain of named layers, under a name of its own.
  init(
    _ artifact: String, input: Shape, optimizer: OptimizerSummary? = nil,
    _ layers: KeyValuePairs<String, any Layer>
  ) {
    self.init(
      artifact: artifact, network: Network(artifact, input: input, layers), optimizer: optimizer)
  }
}

/// A checkpoint that another one is compared with.
package struct Reference: Sendable {
  /// The file, as the report displays it.
  package var artifact: String
  package var network: Network
  package var parameters: Parameters

  package init(artifact: String, network: Network, parameters: ParameterTable) {
    self.artifact = artifact
    self.network = network
    self.parameters = Parameters(parameters, of: network)
  }
}

/// How an input of the model reaches a layer without being computed on.
package struct InputPath: Sendable, Hashable {
  /// The nodes between the model input and the layer, ascending.
  package var nodes: [Int]
  /// Whether a concatenation puts computed values beside the input.
  package var isMixedWithFeatures: Bool
}

extension Subject {
  /// The way by which a model input reaches node `index`, if every element arrives as it is, under
  /// a known scale and offset, or as it is in inference.
  ///
  /// A concatenation passes its inputs on, so it is followed to each of them; one that reaches the
  /// model input is enough.
  ///
  /// - Returns: `nil` if only computed values arrive, or if a shape on the way does not fit.
  /// - Complexity: O(*nodes*); a node is visited once.
  package func inputPath(to index: Int) -> InputPath? {
    guard network.nodes.indices.contains(index), network.nodes[index].mismatch == nil,
      network.nodes[index].sources.count == 1
    else { return nil }
    var pending: [(source: Network.Source, reader: Int)] = [
      (network.nodes[index].sources[0], index)
    ]
    var passed: Set<Int> = []
    var reachesInput = false
    var meetsFeatures = false
    while let (source, reader) = pending.popLast() {
      guard case .node(let before) = source else {
        reachesInput = true
        continue
      }
      guard before < reader, network.nodes[before].passesElementsOn else {
        meetsFeatures = true
        continue
      }
      guard passed.insert(before).inserted else { continue }
      pending += network.nodes[before].sources.map { ($0, before) }
    }
    guard reachesInput else { return nil }
    return InputPath(nodes: passed.sorted(), isMixedWithFeatures: meetsFeatures)
  }

  /// The only reader of node `index`, looking through layers that change no element.
  package func soleReader(of index: Int) -> Int? {
    var current = index
    while true {
      let readers = network.consumers(of: current)
      guard readers.count == 1, network.nodes[readers[0]].sources.count == 1 else { return nil }
      guard network.nodes[readers[0]].layer.treatment == .unchanged else { return readers[0] }
      current = readers[0]
    }
  }

  /// The name of the batch normalisation that alone reads node `index`, if there is one.
  package func batchNormalization(behind index: Int) -> String? {
    guard let reader = soleReader(of: index),
      network.nodes[reader].layer is BatchNormalization
    else { return nil }
    return network.nodes[reader].name
  }
}

extension Network.Node {
  /// Whether every arriving element leaves again, as it is or under a known scale and offset.
  var passesElementsOn: Bool {
    guard mismatch == nil else { return false }
    if let merge = layer as? Merge { return merge.passesElementsOn }
    guard sources.count == 1 else { return false }
    return switch layer.treatment {
    case .unchanged, .unchangedAtInference, .affine: true
    case .elementwise, .mixed: false
    }
  }
}

extension Network {
  /// For each node, the most layers with weights between the model input and what it gives, itself
  /// included.
  var weighedDepths: [Int] {
    var depths: [Int] = []
    for (index, node) in nodes.enumerated() {
      let arriving =
        node.sources.map { source -> Int in
          if case .node(let before) = source, before < index { depths[before] } else { 0 }
        }.max() ?? 0
      let weighs =
        node.layer is Dense || node.layer is Convolution || node.layer is Attention
        || node.layer is Recurrent
      depths.append(arriving + (weighs ? 1 : 0))
    }
    return depths
  }
}
