import AuditModel
import Networks
import Rules
import Testing

extension Subject {
  /// A chain of named layers.
  init(
    _ artifact: String, input: Shape, optimizer: OptimizerSummary? = nil,
    _ layers: KeyValuePairs<String, any Layer>
  ) {
    self.init(
      artifact: artifact, network: Network(artifact, input: input, layers), optimizer: optimizer)
  }

  /// Any network.
  init(
    inputs: [Shape], origin: Network.Origin = .declared, loss: String? = nil,
    _ nodes: [Network.Node]
  ) {
    self.init(
      artifact: "model",
      network: Network("model", origin: origin, inputShapes: inputs, nodes: nodes, loss: loss))
  }

  /// What one rule says about it.
  func findings(of identifier: String) throws -> [Finding] {
    try #require(RuleCatalog.rule(identifiedBy: identifier)).init().findings(in: self)
  }
}

/// A node of a functional network.
func node(_ name: String, _ layer: any Layer, _ sources: Network.Source...) -> Network.Node {
  Network.Node(name: name, layer: layer, sources: sources)
}
